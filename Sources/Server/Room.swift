// The room of Server; see DESIGN.
