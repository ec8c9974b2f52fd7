//! Fields whose form is known, and how they reach the wire.

use imts_core::Operation;
use imts_core::operation::Json;
use imts_core::secret::Body;
use imts_core::services::transfer::{
    AgentId, Amount, CardNumber, ClientUuid, Country, CreateTransfer, Currency, Destination, Fees,
    FieldError, Iban, Originator, Phone, Signature,
};
use serde_json::{Value, json};

const UUID: &str = "5f0c3c1e-7b0f-4a51-9d0b-3a4b7b1f9a10";
const CARD: &str = "4111111111111111";

fn text(body: &Body) -> &str {
    std::str::from_utf8(body.as_ref()).unwrap()
}

#[test]
fn amounts_reach_the_wire_exactly() {
    for (given, written) in [
        ("123456789012345.6789", "123456789012345.6789"),
        ("0.29", "0.29"),
        ("15.4", "15.4"),
        ("15.40", "15.4"),
        ("0.0001", "0.0001"),
        ("007", "7"),
        ("0", "0"),
        ("999999999999999.9999", "999999999999999.9999"),
    ] {
        let amount: Amount = given.parse().unwrap();
        assert_eq!(amount.to_string(), written);
        assert_eq!(text(&Body::json(&amount).unwrap()), written);
        let fees = fees(amount);
        assert!(text(&fees.encode().unwrap()).contains(&format!("\"amount_source\":{written},")));
    }
}

#[test]
fn what_is_no_amount_is_refused() {
    for text in [
        "",
        ".",
        "1.",
        ".5",
        "-1",
        "+1",
        "1e3",
        "1,5",
        " 1",
        "1 ",
        "0x1",
        "NaN",
        "inf",
        "1.23456",
        "1234567890123456",
        "1.2.3",
        "١",
        "1_000",
    ] {
        assert!(text.parse::<Amount>().is_err(), "{text:?}");
    }
}

fn fees(amount_source: Amount) -> Fees {
    Fees {
        originator_type: Originator::Business,
        target_country: "UZB".parse().unwrap(),
        amount_source,
        currency_source: "KZT".parse().unwrap(),
        currency_target: "UZS".parse().unwrap(),
        pg_sig: Some(Signature::new("ab".repeat(32)).unwrap()),
    }
}

#[test]
fn fees_are_written_as_the_draft_prints_them() {
    let body: Value =
        serde_json::from_slice(fees("15.4".parse().unwrap()).encode().unwrap().as_ref()).unwrap();
    let expected = json!({
        "originator_type": "business", "target_country": "UZB", "amount_source": 15.4,
        "currency_source": "KZT", "currency_target": "UZS", "pg_sig": "ab".repeat(32),
    });
    assert_eq!(body, expected);
    let shown = format!("{:?}", fees("15.4".parse().unwrap()));
    assert!(!shown.contains("abab"), "{shown}");
    assert!(Signature::new("").is_err() && Signature::new("x".repeat(513)).is_err());
}

fn field(error: FieldError) -> &'static str {
    error.field()
}

#[test]
fn codes_have_three_upper_case_letters() {
    for bad in ["", "UZ", "UZBK", "uzb", "U1B", "ÜZB", "UZ "] {
        assert_eq!(bad.parse::<Country>().map_err(field), Err("country"), "{bad:?}");
        assert_eq!(bad.parse::<Currency>().map_err(field), Err("currency"), "{bad:?}");
    }
    // The draft's own example prints a country's code for a currency.
    assert_eq!("UZB".parse::<Currency>().unwrap().as_str(), "UZB");
}

#[test]
fn identifiers_have_their_published_form() {
    assert_eq!(UUID.parse::<ClientUuid>().unwrap().as_str(), UUID);
    for bad in ["", "5f0c3c1e7b0f4a519d0b3a4b7b1f9a10", &UUID[1..], &UUID.replace('f', "g")] {
        assert!(bad.parse::<ClientUuid>().is_err(), "{bad:?}");
    }
    assert!("a".repeat(36).parse::<AgentId>().is_ok());
    for bad in ["", "a b", "é", &"a".repeat(37)] {
        assert!(bad.parse::<AgentId>().is_err(), "{bad:?}");
    }
}

#[test]
fn destinations_are_checked_for_their_form() {
    for good in ["+998901234567", "77011234567", "1"] {
        assert!(good.parse::<Phone>().is_ok(), "{good}");
    }
    for bad in ["", "+", "+1 2", "12-34", "1234567890123456", "++1"] {
        assert!(bad.parse::<Phone>().is_err(), "{bad}");
    }
    // ISO 13616's own examples.
    for good in [
        "GB82WEST12345698765432",
        "DE89370400440532013000",
        "KZ86125KZT5004100100",
        "AL47212110090000000235698741",
    ] {
        assert!(good.parse::<Iban>().is_ok(), "{good}");
    }
    for bad in [
        "",
        "GB82",
        "GB83WEST12345698765432",
        "gb82west12345698765432",
        "gb82WEST12345698765432",
        "GB82west12345698765432",
        "GB82 WEST 1234 5698 7654 32",
        "GBXXWEST12345698765432",
    ] {
        assert!(bad.parse::<Iban>().is_err(), "{bad}");
    }
    for good in [CARD, "5555555555554444", "378282246310005", "6304000000000000000"] {
        assert!(good.parse::<CardNumber>().is_ok(), "{good}");
    }
    for bad in [
        "",
        "4111111111111112",
        "4111 1111 1111 1111",
        "411111111111111x",
        "00000000000",
        "41111111111111111111",
    ] {
        assert!(bad.parse::<CardNumber>().is_err(), "{bad}");
    }
}

#[test]
fn every_single_digit_error_and_swap_in_a_check_digit_form_is_seen() {
    let iban = "DE89370400440532013000";
    for place in 2..iban.len() {
        for digit in b'0'..=b'9' {
            let mut changed = iban.as_bytes().to_vec();
            changed[place] = digit;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(changed.parse::<Iban>().is_ok(), changed == iban, "{changed}");
        }
    }
    for place in 0..CARD.len() {
        for digit in b'0'..=b'9' {
            let mut changed = CARD.as_bytes().to_vec();
            changed[place] = digit;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(changed.parse::<CardNumber>().is_ok(), changed == CARD, "{changed}");
        }
    }
}

#[test]
fn an_on_demand_transfer_has_a_phone_and_no_agent() {
    let transfer = CreateTransfer::on_demand(
        UUID.parse().unwrap(),
        "+998901234567".parse().unwrap(),
        "UZB".parse().unwrap(),
    );
    let expected = format!(
        r#"{{"client_uuid":"{UUID}","destination_type":"phone","destination_identifier":"+998901234567","target_country":"UZB"}}"#
    );
    assert_eq!(text(&transfer.encode().unwrap()), expected);
    assert_eq!(transfer.reference().as_deref(), Some(UUID));
}

#[test]
fn a_phone_based_transfer_names_its_agent_and_takes_further_fields_exactly() {
    let transfer = CreateTransfer::phone_based(
        UUID.parse().unwrap(),
        Destination::Pan(CARD.parse().unwrap()),
        "agent-9".parse().unwrap(),
        "KAZ".parse().unwrap(),
    )
    .with_extra("amount", Json::parse("123456789012345.6789").unwrap())
    .unwrap();
    let expected = format!(
        r#"{{"client_uuid":"{UUID}","destination_type":"pan","destination_identifier":"{CARD}","target_agent_id":"agent-9","target_country":"KAZ","amount":123456789012345.6789}}"#
    );
    assert_eq!(text(&transfer.encode().unwrap()), expected);
}

#[test]
fn a_further_field_cannot_replace_a_published_one() {
    let uuid: ClientUuid = UUID.parse().unwrap();
    for name in ["client_uuid", "destination_identifier", "target_agent_id"] {
        let transfer =
            CreateTransfer::on_demand(uuid.clone(), "+1".parse().unwrap(), "UZB".parse().unwrap());
        assert!(transfer.with_extra(name, Json::parse("1").unwrap()).is_err(), "{name}");
    }
}

#[test]
fn no_destination_is_printed() {
    let pan = Destination::Pan(CARD.parse().unwrap());
    let iban = Destination::Iban("DE89370400440532013000".parse().unwrap());
    let phone = Destination::Phone("+998901234567".parse().unwrap());
    let transfer = |destination| {
        CreateTransfer::phone_based(
            UUID.parse().unwrap(),
            destination,
            "agent-9".parse().unwrap(),
            "KAZ".parse().unwrap(),
        )
    };
    let error = CARD.replace('4', "5").parse::<CardNumber>().unwrap_err();
    let printed =
        format!("{:?} {:?} {:?} {error} {error:?}", transfer(pan), transfer(iban), transfer(phone));
    for secret in ["1111", "3704", "9989"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
