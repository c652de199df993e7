// The room of Sinks; see DESIGN.
