//! Reports what happens between a client and its store to `tracing`.
//!
//! Owns these events' names and fields. The page "Share a session" lists them, and a test compares.

use std::time::Duration;

use tracing::{debug, info, warn};

use crate::client::common::StoreEvent;

pub(super) fn emit(event: &StoreEvent) {
    let seconds = |duration: Duration| duration.as_secs_f64();
    match *event {
        StoreEvent::Claimed { generation, lease } => {
            debug!(target: "imts", generation, seconds = seconds(lease), "claimed");
        }
        StoreEvent::LeftToSibling { left } => {
            debug!(target: "imts", left_s = seconds(left), "left to a sibling");
        }
        StoreEvent::Found { generation, age } => {
            info!(target: "imts", generation, age_s = seconds(age), "found a sibling's grant");
        }
        StoreEvent::HandedOver { generation, took } => {
            debug!(target: "imts", generation, seconds = seconds(took), "handed over");
        }
        StoreEvent::Superseded => info!(target: "imts", "superseded"),
        StoreEvent::SiblingRests { left } => {
            info!(target: "imts", left_s = seconds(left), "sibling rests");
        }
        StoreEvent::Silent { failures, retry, kind } => {
            let retry_s = seconds(retry);
            warn!(target: "imts", failures, retry_s, kind, "store does not answer");
        }
        StoreEvent::Answers => info!(target: "imts", "store answers again"),
        StoreEvent::Forgot { knew, found } => {
            warn!(target: "imts", knew, found, "store forgot");
        }
        StoreEvent::Moved => warn!(target: "imts", "store moved"),
        StoreEvent::Alone => warn!(target: "imts", "signing in alone"),
    }
}
