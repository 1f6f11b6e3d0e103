use clap::Subcommand;

#[derive(Subcommand)]
enum Command {
    Web,
    BackgroundWorker,
}

fn main() { axum::serve(); }
