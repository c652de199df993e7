// The room of PromQL; see DESIGN.
