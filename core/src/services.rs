//! The services of the vendor, each in a module of its own: its paths, its fields, its operations.
//!
//! Only this floor knows how a service writes things. A service is data and readers that the engine
//! takes: see [`Service`](crate::Service).

pub mod transfer;

pub use self::transfer::service as transfer;
