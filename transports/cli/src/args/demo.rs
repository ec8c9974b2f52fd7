//! `imts demo`.

use clap::Parser;

use super::TransportName;

#[derive(Debug, Parser)]
pub(crate) struct Demo {
    /// The HTTP client that carries the session.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) transport: TransportName,

    /// A sandbox that runs already (see `imts sandbox`), instead of one of the demo's own. The demo
    /// changes its settings.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// Print one JSON object a line; the last has the event `done`.
    #[arg(long)]
    pub(crate) json: bool,
}
