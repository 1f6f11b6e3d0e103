use axum::{Router, serve};

fn main() {
    jobs::spawn();
    serve(listener, Router::new());
}
