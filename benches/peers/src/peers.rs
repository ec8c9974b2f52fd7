//! The clients under comparison, one file each, and the one table of them.

mod aws_smithy;
mod azure;
mod gcp;
mod google;
mod imts;
mod key;
mod limits;
mod oauth;
mod reqsign;
mod yup;

pub use self::aws_smithy::{AwsSmithyCache, AwsSmithyIdentity};
pub use self::azure::Azure;
pub use self::gcp::Gcp;
pub use self::google::Google;
pub use self::imts::{ImtsBlocking, ImtsHandle, ImtsTaskHandle, ImtsTasks};
pub use self::limits::{HandleLimit, SharedLimit};
pub use self::reqsign::Reqsign;
pub use self::yup::Yup;
use crate::peer::Visit;

/// Shows a visitor everything that can be asked while a token is valid, each limit before this project's client.
pub fn visit_asking(visitor: &mut impl Visit) {
    visitor.visit::<HandleLimit>();
    visitor.visit::<ImtsHandle>();
    visitor.visit::<ImtsTaskHandle>();
    visitor.visit::<SharedLimit>();
    visit_threads(visitor);
}

/// Shows a visitor every client that threads can wait for: this project's, which blocks them, and all futures.
pub fn visit_threads(visitor: &mut impl Visit) {
    visitor.visit::<ImtsBlocking>();
    visit_all(visitor);
}

/// Shows a visitor every client that is asked from tasks.
pub fn visit_all(visitor: &mut impl Visit) {
    visitor.visit::<ImtsTasks>();
    visitor.visit::<AwsSmithyCache>();
    visitor.visit::<AwsSmithyIdentity>();
    visitor.visit::<Azure>();
    visitor.visit::<Gcp>();
    visitor.visit::<Google>();
    visitor.visit::<Reqsign>();
    visitor.visit::<Yup>();
}
