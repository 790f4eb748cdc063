//! `influxd`: settings, telemetry, sub-commands and the server's life from start to stop.
//!
//! Everything else lives in the crates that this one wires together; it alone knows which store
//! the server runs on.

mod build;
mod commands;
mod settings;
mod telemetry;

use std::process::ExitCode;

/// Requests allocate and free many small and some large buffers on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let environment = settings::environment(std::env::vars_os(), std::env::home_dir());
    commands::main(std::env::args_os().skip(1).collect(), environment)
}
