// The room of Pipelines; see DESIGN.
