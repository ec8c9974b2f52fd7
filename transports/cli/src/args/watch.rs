//! `imts watch`.

use std::time::Duration;

use clap::Parser;

use super::ServiceArgs;
use super::service::time_limit;
use super::value::switch;

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts watch --base-url https://host.example",
    after_long_help = "\
On a terminal, a bar shows how long the token still lives. Elsewhere, and with -v, each event is a line. \
With --quiet, only failures and the end are printed.

Failures are printed, and renewals go on at the pace that the service asks for. The command ends by \
itself only if new credentials are needed.

Exit codes: 0 interrupted (Ctrl-C, SIGTERM or SIGHUP); 2 usage or endpoint; 3 refused by the service; 5 \
interrupted before the watch began."
)]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    /// How long one exchange with the service may take, such as 500ms, 10s or 2m.
    #[arg(long, env = "IMTS_TIMEOUT", default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print one JSON object for each event.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}
