//! The services of the vendor, each in a module of its own: its paths, its fields, its operations.
//!
//! Only this floor knows how a service writes things. A service is data and readers that the engine
//! takes: see [`Service`](crate::Service).

#[cfg(feature = "jws")]
pub mod card_api;
#[cfg(feature = "jws")]
pub mod e_money;
#[cfg(feature = "jws")]
pub mod flat;
pub mod freedom_id;
#[cfg(feature = "pg-sig")]
pub mod gateway;
#[cfg(feature = "jws")]
pub mod gateway_async;
#[cfg(feature = "jws")]
pub mod gift_cards;
#[cfg(feature = "pg-sig")]
pub mod merchant;
#[cfg(feature = "jws")]
pub mod merchant_invoice;
#[cfg(feature = "jws")]
pub mod partner_invoice;
#[cfg(feature = "pg-sig")]
mod pg;
#[cfg(feature = "jws")]
pub mod products;
#[cfg(feature = "jws")]
pub mod rates;
#[cfg(any(feature = "jws", feature = "pg-sig"))]
mod request;
#[cfg(feature = "jws")]
pub mod settlement;
#[cfg(feature = "jws")]
pub mod super_app;
pub mod transfer;
pub mod values;
#[cfg(any(feature = "jws", feature = "pg-sig"))]
mod whole;

pub use self::freedom_id::service as freedom_id;
pub use self::transfer::service as transfer;
