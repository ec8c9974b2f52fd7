//! `imts demo`.

use clap::Parser;

use super::TransportName;

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts demo",
    after_long_help = "\
Exit codes: 0 all steps went as promised; 1 a step did not; 2 usage or endpoint; 5 interrupted."
)]
pub(crate) struct Demo {
    /// The HTTP client that carries the session.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) transport: TransportName,

    /// The URL of a running sandbox (see `imts sandbox`), in place of the demo's own. The demo changes
    /// its settings.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// Print one JSON object a line; the last one has the event `done`, or an error.
    #[arg(long)]
    pub(crate) json: bool,
}
