fn main() { axum::serve(); }
