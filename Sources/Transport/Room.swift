// The room of Transport; see DESIGN.
