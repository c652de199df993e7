// The room of Templates; see DESIGN.
