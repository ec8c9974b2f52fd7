//! Services: added through the public items alone, and those that this crate has.

mod freedom_id;
#[cfg(all(feature = "jws", feature = "pg-sig"))]
mod menu;
mod methods;
#[cfg(feature = "pg-sig")]
mod signed_messages;
#[cfg(feature = "pg-sig")]
mod signed_replies;
#[cfg(feature = "jws")]
mod signed_requests;
mod support;
mod without_tokens;
