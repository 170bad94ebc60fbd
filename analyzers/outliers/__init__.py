"""The rooms of the outlier screen; `analyzers.outlier` is its door."""
