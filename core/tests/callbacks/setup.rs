//! What is refused before a callback comes.

use imts_core::callback::{Incoming, ReceiveError, Receiver, ReceiverError};
use imts_core::sign::pg_sig::{AcceptingKey, Account, OwnUrl, OwnUrlError, OwnUrls, PgSigner};

use crate::support::{KEY, urls};

#[test]
fn urls_with_equal_last_parts_or_a_slash_at_the_end_are_refused() {
    let all = [OwnUrl::Check, OwnUrl::Result, OwnUrl::Payout, OwnUrl::Success, OwnUrl::Failure];
    for one in all {
        for other in all.into_iter().filter(|other| *other != one) {
            let same =
                [(one, "https://shop.example/a/pay"), (other, "https://shop.example/b/pay?x")];
            assert_eq!(OwnUrls::new(same).unwrap_err(), OwnUrlError::Same { one, other });
        }
        for url in ["https://shop.example/pay/", "https://shop.example"] {
            assert!(OwnUrls::new([(one, url)]).is_err(), "{url}");
        }
    }
}

#[test]
fn a_url_whose_key_is_missing_is_refused() {
    let accepting = || PgSigner::new().with_accepting(AcceptingKey::new(KEY).unwrap());
    let missing = Receiver::new(accepting(), urls()).map(drop).unwrap_err();
    let no_key = ReceiverError::NoKey { url: OwnUrl::Payout, account: Account::Payouts };
    assert_eq!(missing, no_key);
    let result = OwnUrls::new([(OwnUrl::Result, "/result")]).unwrap();
    assert!(Receiver::new(accepting(), result.clone()).is_ok());
    assert!(Receiver::new(PgSigner::new(), result).is_err());
}

#[test]
fn a_url_that_is_not_configured_receives_nothing() {
    let urls = OwnUrls::new([(OwnUrl::Result, "/result")]).unwrap();
    let signer = PgSigner::new().with_accepting(AcceptingKey::new(KEY).unwrap());
    let receiver = Receiver::new(signer, urls).unwrap();
    let request = http::Request::post("/check").body("").unwrap();
    let refused = receiver.receive(OwnUrl::Check, Incoming::of(&request)).map(drop);
    assert_eq!(refused.unwrap_err(), ReceiveError::NotConfigured { url: OwnUrl::Check });
}

#[test]
fn a_request_belongs_to_the_url_whose_last_part_it_has() {
    let urls = urls();
    assert_eq!(urls.called_at("/pay/result"), Some(OwnUrl::Result));
    assert_eq!(urls.called_at("/result"), Some(OwnUrl::Result), "a prefix was taken off");
    for path in ["/", "", "/pay/result/", "/pay/Result", "/pay/results", "/result/x"] {
        assert_eq!(urls.called_at(path), None, "{path}");
    }
    assert_eq!(urls.iter().count(), 5);
}
