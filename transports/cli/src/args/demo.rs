//! `imts demo`.

use clap::Parser;

use super::value::switch;
use super::{Line, TransportName};

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts demo",
    after_long_help = "\
Exit codes: 0 all steps went as promised; 1 a step did not; 2 usage or endpoint; 5 interrupted."
)]
pub(crate) struct Demo {
    /// The HTTP client that carries the session.
    #[arg(long, env = "IMTS_TRANSPORT", value_enum, default_value_t)]
    pub(crate) transport: TransportName,

    /// Use a running sandbox at this URL (see `imts sandbox`) instead of starting one. The demo changes
    /// its settings.
    #[arg(long, env = "IMTS_SANDBOX_URL", value_name = "URL")]
    pub(crate) base_url: Option<Line>,

    /// Print one JSON object per line. The last one is the event `done`, or an error.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}
