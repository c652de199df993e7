// The room of YAML; see DESIGN.
