//! `imts operations`.

use std::path::PathBuf;

use clap::Parser;

use super::service::ProfileArg;
use super::value::{path, switch};

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts operations --service-file service.toml",
    after_long_help = "\
The class says what may be repeated: `read` changes nothing; `create` and `money` are sent again only \
with proof that they were not processed. The evidence says how certain an operation is: published, \
draft, assumed or unknown. No path is invented: if one is unknown, take it from the vendor's page and put \
it into a service file:

  version = 1

  [operation.confirm]                     # built in: its class is fixed
  path = \"/v5/partner/transfer/example\"
  evidence = \"published\"                  # or draft, or assumed (the default)
  [operation.confirm.decided_before_processing]   # optional
  statuses = [429]                        # with these nothing was processed,
  codes = [\"1001\", 42]                    # nor with these error codes

  [operation.daily-report]                # your own operation: it needs a class
  path = \"/v5/partner/transfer/report\"
  class = \"read\"                          # or create, or money
  reply_limit = 1048576                   # bytes of a reply; default 65536"
)]
pub(crate) struct Operations {
    #[command(flatten)]
    pub(crate) profile: ProfileArg,

    /// A service file (TOML); its operations and paths are listed too.
    #[arg(long, env = "IMTS_SERVICE_FILE", value_name = "FILE", value_parser = path())]
    pub(crate) service_file: Option<PathBuf>,

    /// Print one JSON array of objects with `name`, `class`, `evidence` and `path` (null if it is
    /// unknown).
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}
