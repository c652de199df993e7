// The room of Storage; see DESIGN.
