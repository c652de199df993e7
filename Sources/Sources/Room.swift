// The room of Sources; see DESIGN.
