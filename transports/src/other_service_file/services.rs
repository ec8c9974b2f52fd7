//! The services that such a service file can be about, and the envelopes of their replies.

use imts_core::Service;
use imts_core::service::Format;
use imts_core::services;
use serde::Deserialize;

/// A service's name, and the service.
type Named = (&'static str, fn() -> Service);

/// The services of this build.
const SERVICES: &[Named] = &[
    #[cfg(feature = "jws")]
    ("card-api", services::card_api::service),
    #[cfg(feature = "jws")]
    ("e-money", services::e_money::service),
    #[cfg(feature = "pg-sig")]
    ("gateway", services::gateway::service),
    #[cfg(feature = "jws")]
    ("gateway-async", services::gateway_async::service),
    #[cfg(feature = "jws")]
    ("gift-cards", services::gift_cards::service),
    #[cfg(feature = "pg-sig")]
    ("merchant", services::merchant::service),
    #[cfg(feature = "jws")]
    ("merchant-invoice", services::merchant_invoice::service),
    #[cfg(feature = "jws")]
    ("partner-invoice", services::partner_invoice::service),
    #[cfg(feature = "jws")]
    ("products", services::products::service),
    #[cfg(feature = "jws")]
    ("rates", services::rates::service),
    #[cfg(feature = "jws")]
    ("settlement", services::settlement::service),
    #[cfg(feature = "jws")]
    ("super-app", services::super_app::service),
    ("transfer", services::transfer::service),
];

pub(super) fn named(name: &str) -> Option<Service> {
    SERVICES.iter().find(|(known, _)| *known == name).map(|(_, service)| service())
}

pub(super) fn names() -> Vec<&'static str> {
    SERVICES.iter().map(|(name, _)| *name).collect()
}

/// How replies are written, if the service's own way is not the right one.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Envelope {
    /// `{"state": true, "response_time": …, "payload": …}`.
    Wrapped,
    /// `{"status": "ok", …}`.
    #[cfg(feature = "jws")]
    Flat,
    /// `{"status": 0, …}`.
    #[cfg(feature = "jws")]
    Numeric,
    /// `pg_status`, in a message with `pg_sig`.
    #[cfg(feature = "pg-sig")]
    Message,
}

impl Envelope {
    pub(super) fn format(self) -> &'static Format {
        match self {
            Self::Wrapped => services::transfer::service().format(),
            #[cfg(feature = "jws")]
            Self::Flat => services::card_api::service().format(),
            #[cfg(feature = "jws")]
            Self::Numeric => services::gift_cards::service().format(),
            #[cfg(feature = "pg-sig")]
            Self::Message => services::merchant::service().format(),
        }
    }
}
