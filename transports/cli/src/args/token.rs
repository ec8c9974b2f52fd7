//! `imts token`.

use std::time::Duration;

use clap::Parser;

use super::ServiceArgs;
use super::service::time_limit;
use super::value::switch;

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts token --base-url https://host.example --agent-id AGENT --secret-file secret.txt",
    after_long_help = "\
Credentials come from IMTS_AGENT_ID and IMTS_AGENT_SECRET, or from --agent-id and --secret-file. A \
secret is never an argument, because other users of the machine could read it.

To use the token with curl: imts token --header | curl -H @- URL. See also `imts exec`.

Exit codes: 0 done; 2 usage or endpoint; 3 refused by the service; 4 a reply that is malformed or \
unexpected; 5 transport failed, timed out or interrupted."
)]
pub(crate) struct Token {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    /// How long the whole command may take, such as 500ms, 10s or 2m.
    #[arg(long, env = "IMTS_TIMEOUT", default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print one JSON object as the last line of stdout, for success and failure alike.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,

    /// Print the access token itself: alone on stdout, or as `access_token` with --json.
    #[arg(long)]
    pub(crate) show: bool,

    /// Print the header line `Authorization: Bearer TOKEN`, alone on stdout, for `curl -H @-`.
    #[arg(long, conflicts_with = "show")]
    pub(crate) header: bool,
}
