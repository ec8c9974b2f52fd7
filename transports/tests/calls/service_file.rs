//! The service file: what it may say, where it is wrong, and that the sandbox reads it alike.

use imts::call::Ending;
use imts::catalogue::CatalogueError;
use imts::endpoint::{EndpointError, ServicePath};
use imts::service_file::{ServiceFileError, service_of};
use imts::text::TextError;
use imts::{Class, Evidence};
use imts_sandbox::{Operation, Sandbox};

use crate::{World, confirm};

const EXAMPLE: &str = include_str!("../../examples/service.toml");

/// A file with this table in it.
fn file(table: &str) -> String {
    format!("version = 1\n{table}\n")
}

#[test]
fn the_example_is_read_by_the_client_and_by_the_sandbox_and_works() {
    let service = service_of(EXAMPLE).unwrap();
    let entry = |name| service.operations().entry(name).unwrap();
    let path = |name| entry(name).path().map(ServicePath::as_str);
    assert_eq!(path("confirm"), Some("/v5/partner/transfer/example/confirm"));
    assert_eq!(entry("confirm").class(), Class::Money);
    assert_eq!(entry("confirm").evidence(), Evidence::Assumed);
    let decided = entry("confirm").decided();
    assert!(decided.statuses.contains(&429));
    assert!(["EXAMPLE-LIMIT", "1001"].iter().all(|code| decided.codes.contains(*code)));
    assert_eq!(entry("example-report").class(), Class::Read);
    assert!(!entry("example-report").is_built_in());
    assert!(EXAMPLE.contains("EXAMPLE AND LEADS NOWHERE"));

    let world = World::new();
    *world.sandbox() = Sandbox::with_service_file(EXAMPLE).unwrap();
    let client = world.builder().service(service).blocking(world.transport()).unwrap();
    assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::Done);
    assert_eq!(world.sandbox().ledger().applied(Operation::Confirm, "a"), 1);
}

#[test]
fn an_error_of_form_names_the_line() {
    for (text, line, word) in [
        ("version = 1\n[operation.confirm]\npath = \"/x\"\nfield = 1\n", 4, "field"),
        ("version = 1\n\n\n[operation.confirm]\n", 4, "path"),
        ("version = 1\nother = 1\n", 2, "other"),
        ("version = 1\n[operation.confirm]\npath = 7\n", 3, "string"),
        ("version = 1\n[operation.confirm]\npath = \"/x\"\nevidence = \"sure\"\n", 4, "sure"),
        ("version = 1\n[operation.x]\npath = \"/x\"\nclass = \"free\"\n", 4, "free"),
        ("version = 1\n[operation.x]\npath = \"/x\n", 3, ""),
        (
            "version = 1\n[operation.confirm]\npath = \"/x\"\n[operation.confirm]\npath = \"/y\"\n",
            4,
            "duplicate",
        ),
        ("[operation.confirm]\npath = \"/x\"\n", 1, "version"),
        ("# nothing", 1, "version"),
    ] {
        let error = service_of(text).unwrap_err();
        let ServiceFileError::Form { line: at, message } = &error else {
            panic!("{text:?}: {error:?}")
        };
        assert_eq!(*at, line, "{text:?}: {error}");
        assert!(message.contains(word), "{text:?}: {error}");
        assert!(error.to_string().contains(&format!("line {line}")), "{error}");
    }
}

#[test]
fn a_mark_is_not_part_of_the_file_and_a_control_character_is_named_with_its_line() {
    let file = "version = 1\n\n[operation.confirm]\npath = \"/x\"\n";
    for good in [format!("\u{feff}{file}"), file.replace('\n', "\r\n"), file.trim().to_owned()] {
        assert!(service_of(&good).is_ok(), "{good:?}");
    }
    let nul = TextError::Invisible { line: 4, character: '\0' };
    for (bad, error) in [
        (file.replace("/x", "/x\0"), nul),
        (String::new(), TextError::Blank),
        ("\u{feff}\n".to_owned(), TextError::Blank),
    ] {
        assert_eq!(service_of(&bad).unwrap_err(), ServiceFileError::Text(error), "{bad:?}");
    }
}

#[test]
fn an_error_of_an_operation_names_it_and_its_line() {
    for (table, line) in [
        ("[operation.confirm]\npath = \"//evil.example/\"", 3),
        ("[operation.status]\npath = \"/s\"\n[operation.confirm]\npath = \"/a/../b\"", 5),
        ("[operation.confirm]\npath = \"/x\"\nclass = \"read\"", 2),
        (
            "[operation.confirm]\npath = \"/x\"\n[operation.confirm.decided_before_processing]\n\
             statuses = [99]",
            2,
        ),
        ("\n\n[operation.confirm]\npath = \"\"", 5),
    ] {
        let text = file(table);
        let error = service_of(&text).unwrap_err().to_string();
        assert!(error.contains("operation.confirm"), "{text}: {error}");
        assert!(error.contains(&format!("line {line}:")), "{text}: {error}");
    }
    let error = service_of(&file("[operation.report]\npath = \"/r\"")).unwrap_err();
    let no_class = CatalogueError::NoSuchOperation { name: "report".to_owned() };
    assert!(matches!(&error, ServiceFileError::Operation { error, .. } if *error == no_class));
    assert!(error.to_string().contains("give it a class"), "{error}");
}

#[test]
fn an_error_quotes_little_and_nothing_that_moves_a_cursor() {
    let long = "k".repeat(100_000);
    for text in [
        format!("version = 1\n{long} = 1\n"),
        file(&format!("[operation.{long}]\npath = '/x'\nclass = 'read'")),
        file(&format!("[operation.{long}]\npath = '/x'")),
        file(&format!("[operation.{long}]\npath = 'x'")),
        file(&format!("[operation.x]\npath = '/x'\nevidence = '{long}'")),
        file("[operation.\"\\u001b[2J\"]\npath = '/x'"),
        file("[operation.x]\npath = '/x'\n\"\\u001b[2J\" = 1"),
        file("[operation.x]\npath = '/x'\nevidence = \"\\u202e\\r\""),
    ] {
        let error = service_of(&text).unwrap_err();
        let shown = error.to_string();
        assert!(shown.len() < 1_000, "{} bytes", shown.len());
        assert!(format!("{error:?}").len() < 1_000);
        let moves = |it: char| it.is_control() || it == '\u{202e}';
        assert!(!shown.contains(moves), "{shown:?}");
    }
}

#[test]
fn no_file_lowers_a_class() {
    let catalogue = imts::services::transfer::catalogue();
    let names = catalogue.iter().map(imts::catalogue::OperationInfo::name);
    for name in names.chain(["get-token", "refresh-token"]) {
        for class in ["read", "create", "money"] {
            let table = format!("[operation.{name}]\npath = '/x'\nclass = '{class}'");
            let error = service_of(&file(&table)).unwrap_err();
            let ServiceFileError::Operation { error, .. } = error else { panic!("{error:?}") };
            assert!(matches!(error, CatalogueError::ClassIsFixed { .. }), "{error:?}");
        }
    }
    // Nor by another name for where an operation is: what reads is sent again.
    let aside = "[operation.confirm]\npath = '/x'\n[operation.aside]\npath = '/x'\nclass = 'read'";
    let error = service_of(&file(aside)).unwrap_err();
    assert!(matches!(error, ServiceFileError::SamePath { .. }), "{error:?}");
    assert_eq!(error.to_string(), "operation.aside, line 5: `confirm` has the same path");
    let draft = "[operation.aside]\npath = '/v5/partner/transfer/fees'\nclass = 'money'";
    let error = service_of(&file(draft)).unwrap_err();
    assert!(error.to_string().contains("operation.aside"), "{error}");
}

#[test]
fn a_token_exchange_has_a_path_and_an_evidence_and_no_more() {
    let set = "[operation.get-token]\npath = '/a'\nevidence = 'draft'\n[operation.refresh-token]\npath = '/b'";
    let service = service_of(&file(set)).unwrap();
    let tokens = service.tokens().unwrap();
    let (sign_in, refresh) = (tokens.sign_in(), tokens.refresh().unwrap());
    assert_eq!((sign_in.path().as_str(), sign_in.evidence()), ("/a", Evidence::Draft));
    assert_eq!((refresh.path().as_str(), refresh.evidence()), ("/b", Evidence::Assumed));
    for name in ["get-token", "refresh-token"] {
        for more in [
            "decided_before_processing = { statuses = [429] }",
            "decided_before_processing = { codes = ['A'] }",
            "reply_limit = 70_000",
            "reference_field = 'id'",
        ] {
            let error = service_of(&file(&format!("[operation.{name}]\npath = '/x'\n{more}")));
            let expected = ServiceFileError::TokenExchange { line: 2, name: name.to_owned() };
            assert_eq!(error.unwrap_err(), expected, "{more}");
        }
    }
    for (one, other) in
        [("get-token", "refresh-token"), ("confirm", "get-token"), ("get-token", "fees")]
    {
        let same = format!("[operation.{one}]\npath = '/x'\n[operation.{other}]\npath = '/x'");
        let error = service_of(&file(&same)).unwrap_err();
        assert!(matches!(error, ServiceFileError::SamePath { .. }), "{one}: {error:?}");
    }
    let taken = file("[operation.confirm]\npath = '/v5/partner/transfer/agent/auth'");
    let error = service_of(&taken).unwrap_err();
    assert!(matches!(error, ServiceFileError::SamePath { .. }), "{error:?}");
}

#[test]
fn a_path_that_leads_elsewhere_is_an_error() {
    for path in [
        "https://evil.example/x",
        "//evil.example/x",
        "/../x",
        "/x/..",
        "/x//y",
        "/x?y=1",
        "/x#y",
        "/x y",
        "/%2e%2e/x",
        "x",
        "",
        "/\\\\evil.example",
        "@evil.example",
    ] {
        let error = service_of(&file(&format!("[operation.confirm]\npath = \"{path}\"")));
        let error = error.unwrap_err();
        let is_path = matches!(&error, ServiceFileError::Path { name, error: EndpointError::Path, .. }
            if name == "confirm");
        assert!(is_path, "{path:?}: {error:?}");
    }
}

#[test]
fn another_version_is_an_error_that_says_which() {
    for version in [0, 2, 99] {
        let error = service_of(&format!("version = {version}\n")).unwrap_err();
        assert_eq!(error, ServiceFileError::Version(version));
    }
    assert!(matches!(service_of("version = '1'"), Err(ServiceFileError::Form { line: 1, .. })));
    let of = |length: usize| format!("version = 1\n#{}", " ".repeat(length - 13));
    assert!(service_of(&of(1_048_576)).is_ok());
    let long = of(1_048_577);
    assert_eq!(service_of(&long).unwrap_err(), ServiceFileError::TooLong);
}

/// What both must take, and what both must refuse.
const ALIKE: &[(bool, &str)] = &[
    (true, "version = 1"),
    (true, "version = 1\n[operation]"),
    (false, "version = 0"),
    (false, "version = 2"),
    (
        true,
        "version = 1\n[operation.confirm]\npath = '/x'\ndecided_before_processing = { statuses = [100, 599, 600, 999] }",
    ),
    (
        false,
        "version = 1\n[operation.confirm]\npath = '/x'\ndecided_before_processing = { statuses = [99] }",
    ),
    (
        false,
        "version = 1\n[operation.confirm]\npath = '/x'\ndecided_before_processing = { statuses = [1000] }",
    ),
    (true, "version = 1\n[operation.confirm]\npath = '/x'"),
    (true, "version = 1\n[operation.confirm]\npath = '/x'\nevidence = 'published'"),
    (
        true,
        "version = 1\n[operation.confirm]\npath = '/x'\n[operation.confirm.decided_before_processing]",
    ),
    (
        true,
        "version = 1\n[operation.confirm]\npath = '/x'\ndecided_before_processing = { statuses = [429, 503], codes = ['A', 7, -7] }",
    ),
    (true, "version = 1\noperation = { confirm = { path = '/x' }, status = { path = '/y' } }"),
    (true, "version = 1\n[operation.report]\npath = '/r'\nclass = 'money'"),
    (true, "version = 1\n[operation.fees]\npath = '/v6/fees'\nevidence = 'draft'"),
    (true, "version = 1\n[operation.get-token]\npath = '/v6/auth'"),
    (true, "version = 1\n[operation.refresh-token]\npath = '/v6/refresh'"),
    (true, "version = 1\n[operation.confirm]\npath = '/x'\nreply_limit = 1"),
    (true, "version = 1\n[operation.confirm]\npath = '/x'\nreply_limit = 1_048_576"),
    (true, "version = 1\n[operation.confirm]\npath = '/x'\nreply_limit = 67_108_864"),
    (false, "version = 1\n[operation.confirm]\npath = '/x'\nreply_limit = 67_108_865"),
    (false, "version = 1\n[operation.confirm]\npath = '/x'\nreply_limit = 0"),
    (false, "version = 1\n[operation.confirm]\npath = '/x'\nreply_limit = -1"),
    (false, "version = 1\n[operation.confirm]\npath = '/x'\nreply_limit = 1.5"),
    (false, "version = 1\n[operation.confirm]\npath = '/x'\nreply_limit = '1 MiB'"),
    (false, "version = 1\n[operation.get-token]\npath = '/x'\nreply_limit = 1_048_576"),
    (false, "version = 1\n[operation.get-token]\npath = '/x'\nreference_field = 'id'"),
    (
        false,
        "version = 1\n[operation.get-token]\npath = '/x'\n[operation.refresh-token]\npath = '/x'",
    ),
    (false, "version = 1\n[operation.confirm]\npath = '/v5/partner/transfer/agent/refresh'"),
    (false, "version = 1\n[operation.refresh-token]\npath = '/x'\nreply_limit = 1_048_576"),
    (false, ""),
    (false, "version = 2"),
    (false, "version = '1'"),
    (false, "version = 1\nversion = 1"),
    (false, "version = 1\nextra = true"),
    (false, "version = 1\n[operation.confirm]"),
    (false, "version = 1\n[operation.confirm]\npath = 7"),
    (false, "version = 1\n[operation.confirm]\npath = 'x'"),
    (false, "version = 1\n[operation.confirm]\npath = '//x'"),
    (false, "version = 1\n[operation.confirm]\npath = '/a/../b'"),
    (false, "version = 1\n[operation.confirm]\npath = '/a?b'"),
    (false, "version = 1\n[operation.confirm]\npath = '/x'\nclass = 'read'"),
    (false, "version = 1\n[operation.confirm]\npath = '/x'\nevidence = 'unknown'"),
    (false, "version = 1\n[operation.confirm]\npath = '/x'\nextra = 1"),
    (false, "version = 1\n[operation.confirm]\npath = '/x'\n[operation.confirm]\npath = '/x'"),
    (false, "version = 1\n[operation.confirm]\npath = '/x'\n[operation.status]\npath = '/x'"),
    (
        false,
        "version = 1\n[operation.confirm]\npath = '/x'\ndecided_before_processing = { statuses = [99] }",
    ),
    (
        false,
        "version = 1\n[operation.confirm]\npath = '/x'\ndecided_before_processing = { statuses = [1000] }",
    ),
    (
        false,
        "version = 1\n[operation.confirm]\npath = '/x'\ndecided_before_processing = { codes = [1.5] }",
    ),
    (
        false,
        "version = 1\n[operation.confirm]\npath = '/x'\ndecided_before_processing = { other = [] }",
    ),
    (false, "version = 1\n[operation.report]\npath = '/r'"),
    (false, "version = 1\n[operation.report]\npath = '/r'\nclass = 'free'"),
    (false, "version = 1\n[operation.'Re port']\npath = '/r'\nclass = 'read'"),
];

#[test]
fn the_sandbox_takes_and_refuses_the_same_files() {
    for (is_good, text) in ALIKE {
        let (client, sandbox) = (service_of(text), Sandbox::with_service_file(text));
        assert_eq!(client.is_ok(), *is_good, "{text:?}: {client:?}");
        assert_eq!(sandbox.is_ok(), *is_good, "{text:?}: {:?}", sandbox.err());
    }
}

#[test]
fn the_field_of_a_reference_is_read_by_the_client_and_by_the_sandbox() {
    let text = file("[operation.confirm]\npath = '/x'\nreference_field = 'id'");
    let service = service_of(&text).unwrap();
    assert_eq!(service.operations().entry("confirm").unwrap().reference_field(), Some("id"));
    assert!(Sandbox::with_service_file(&text).is_ok());
}
