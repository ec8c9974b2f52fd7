//! Services that this crate does not have, added through its public items alone.

mod freedom_id;
mod methods;
mod support;
mod without_tokens;
