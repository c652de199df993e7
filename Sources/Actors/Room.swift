// The room of Actors; see DESIGN.
