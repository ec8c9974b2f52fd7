//! The file of profiles: where it is, who may write it, and what may stand in it.

use std::fs;
use std::os::unix::fs::{chown, symlink};

use crate::profiles::Profiles;
use crate::{Ran, run};

const GOOD: &str = "[profile.good]\nagent_id = \"agent-7\"\n";

fn show(profiles: &Profiles, profile: &str) -> Ran {
    run(&mut profiles.imts(&["config", "show", "--json", "--profile", profile]))
}

#[track_caller]
fn assert_refused(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, 2, "{words:?}: {ran:?}");
    assert_eq!(ran.error().0, "usage", "{words:?}: {ran:?}");
    let error = ran.json()["error"].clone();
    let message = error["message"].as_str().unwrap();
    for words in words {
        assert!(message.contains(words), "{words:?} is not in: {message}");
    }
    assert!(!ran.out.contains("zq") && !ran.err.contains("zq"), "{ran:?}");
}

#[test]
fn what_has_no_meaning_is_an_error_that_names_its_line_and_repeats_no_value() {
    let cases: [(&str, usize, &str); 34] = [
        ("[profiles.good]", 1, "there is no key `profiles`. Did you mean `profile`?"),
        ("x = 1", 1, "there is no key `x`: a profile begins with [profile.NAME]"),
        ("zqabcdefghijklmnopqrstuvwxyzabcdefghi = 1", 1, "there is no such key"),
        (
            "[profile.good]\nbase_ulr = \"zq\"",
            2,
            "there is no key `base_ulr`. Did you mean `base_url`?",
        ),
        ("[profile.good]\n\nbase-url = \"zq\"", 3, "Did you mean `base_url`?"),
        ("[profile.good]\nAGENT_ID = \"zq\"", 2, "Did you mean `agent_id`?"),
        ("[profile.good]\ncolour = 1", 2, "see `imts config --help`"),
        ("[profile.good]\nagent_secret = \"zq7x\"", 2, "secret = { file = \"PATH\" }"),
        ("[profile.good]\npassword = \"zq7x\"", 2, "a secret must not stand in this file"),
        ("[profile.good]\nsecret = \"zq7x\"", 2, "a secret must not stand in this file"),
        ("[profile.good]\nsecret = {}", 2, "one source"),
        ("[profile.good]\nsecret = { file = \"a\", variable = \"B\" }", 2, "one source"),
        (
            "[profile.good]\nsecret = { fil = \"zq\" }",
            2,
            "there is no key `fil`. Did you mean `file`?",
        ),
        ("[profile.good]\nsecret = { file = 1 }", 2, "`secret.file` must be a text"),
        (
            "[profile.good]\nsecret = { file = \"-\" }",
            2,
            "`secret.file` must be the path of a file",
        ),
        ("[profile.good]\nsecret = { variable = \"zq=x\" }", 2, "the name of a variable"),
        ("[profile.good]\nsecret = { command = \"zq 7x\" }", 2, "a list of texts"),
        ("[profile.good]\nsecret = { command = [] }", 2, "a list of texts"),
        ("[profile.good]\nsecret = { command = [\"a\", 1] }", 2, "a list of texts"),
        ("[profile.good]\nsecret = { keyring = { service = \"a\" } }", 2, "`service` and `user`"),
        ("[profile.good]\nsecret = { keyring = { servic = \"a\" } }", 2, "Did you mean `service`?"),
        ("[profile.good]\nagent_id = \"a\"\nagent_id = \"b\"", 3, "duplicate key"),
        ("[profile.good]\n[profile.good]", 2, "duplicate key"),
        ("[profile.good]\nagent_id = zq", 2, "string values must be quoted"),
        ("[profile.good]\nagent_id = 17", 2, "`agent_id` must be a text in quotes"),
        ("[profile.good]\nplain_http = \"yes\"", 2, "`plain_http` must be true or false"),
        ("[profile.good]\nreply_limit = \"zq\"", 2, "`reply_limit` must be a whole number"),
        ("[profile.good]\njournal = \"\"", 2, "`journal` must be the path of a file"),
        ("[profile.good]\nproxy = \"http://zq:zq7x@host:1\"", 2, "write the URL into a file"),
        ("[profile.\"a b\"]", 1, "a profile's name has 1 to 64 letters"),
        ("profile.good = 1", 1, "a table [profile.NAME]"),
        ("profile = 1", 1, "a table [profile.NAME]"),
        ("[profile.good]\ntimeout = \"0s\"", 2, "leaves no time"),
        ("[profile.good]\ntransport = \"urec\"", 2, "[possible values: ureq, hyper-util]"),
    ];
    let profiles = Profiles::new("wrong", "");
    for (text, line, words) in cases {
        profiles.write(text);
        let line = format!("line {line}: ");
        let file = profiles.file();
        assert_refused(&show(&profiles, "good"), &[&file, &line, words]);
        // Another command says the same, also if it has no such option.
        let ran = run(&mut profiles.imts(&["operations", "--json", "--profile", "good"]));
        assert_refused(&ran, &[&file, &line, words]);
    }
    for (value, words) in [
        ("reply_limit = 0", "from 1 to"),
        ("base_url = \" \"", "blank"),
        ("agent_id = \"zq\\n7x\"", "more than one line"),
    ] {
        profiles.write(format!("[profile.good]\n{value}"));
        assert_refused(&show(&profiles, "good"), &[&profiles.file(), "line 2: ", words]);
    }
}

#[test]
fn a_mark_and_line_breaks_of_windows_are_read_and_utf_16_is_named() {
    let profiles = Profiles::new("encodings", format!("\u{feff}{}", GOOD.replace('\n', "\r\n")));
    let ran = show(&profiles, "good");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("agent-7"), "{ran:?}");
    // The lines are counted as an editor counts them.
    profiles.write(format!("\u{feff}{}\r\nx = 1\r\n", GOOD.replace('\n', "\r\n")));
    assert_refused(&show(&profiles, "good"), &["line 4: "]);
    let wide: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    profiles.write(wide);
    assert_refused(&show(&profiles, "good"), &[&profiles.file(), "UTF-16"]);
    profiles.write(b"[profile.good]\nagent_id = \"\xff\"");
    assert_refused(&show(&profiles, "good"), &[&profiles.file(), "UTF-8"]);
}

#[test]
fn a_profile_that_does_not_exist_is_an_error_that_names_those_that_do() {
    let profiles = Profiles::new("unknown", "[profile.production]\n[profile.sandbox]\n");
    assert_refused(
        &show(&profiles, "prodution"),
        &["Did you mean `production`?", "production, sandbox"],
    );
    let ran = show(&profiles, "PRODUCTION");
    assert_refused(&ran, &["Did you mean `production`?"]);
    // What does not exist is not repeated: it may be anything.
    assert_refused(&show(&profiles, "zq7x"), &["Profiles: production, sandbox"]);
    profiles.write("# nothing\n");
    assert_refused(&show(&profiles, "production"), &["Profiles: none"]);
    profiles.write("");
    assert_refused(&show(&profiles, "production"), &[&profiles.file(), "blank"]);
    fs::remove_file(profiles.file()).unwrap();
    assert_refused(
        &show(&profiles, "production"),
        &["there is no file of profiles", &profiles.file()],
    );
    fs::create_dir(profiles.file()).unwrap();
    assert_refused(&show(&profiles, "production"), &["not a regular file"]);
    let list = run(&mut Profiles::new("list", "[profile.b]\n[profile.a]\n")
        .imts(&["config", "list", "--json"]));
    assert_eq!(list.json()["profiles"], serde_json::json!(["b", "a"]), "in the file's order");
}

#[test]
fn a_file_that_others_can_write_is_refused_and_so_are_its_folder_and_those_above() {
    let profiles = Profiles::new("modes", GOOD);
    assert_eq!(show(&profiles, "good").code, 0);
    for (path, good, modes) in [
        ("imts/config.toml", 0o644, [0o666, 0o664, 0o622, 0o602]),
        ("imts", 0o755, [0o777, 0o775, 0o757, 0o1777]),
        ("", 0o755, [0o777, 0o775, 0o757, 0o772]),
    ] {
        for mode in modes {
            profiles.mode(path, mode);
            let place = profiles.0.path(path).trim_end_matches('/').to_owned();
            let ran = show(&profiles, "good");
            let command = format!("chmod go-w {place}");
            assert_refused(&ran, &["not used", &format!("(mode {mode:o})"), &command]);
            let listed = run(&mut profiles.imts(&["config", "list", "--json"]));
            assert_refused(&listed, &[&command]);
        }
        profiles.mode(path, good);
        assert_eq!(show(&profiles, "good").code, 0, "{path}");
    }
    // In a sticky folder, nobody can replace what belongs to another user. `/tmp` is one.
    profiles.mode("", 0o1777);
    assert_eq!(show(&profiles, "good").code, 0);
}

#[test]
fn a_link_is_followed_and_all_that_it_leads_through_is_checked() {
    let profiles = Profiles::new("links", GOOD);
    let there = profiles.0.path("dotfiles");
    fs::create_dir(&there).unwrap();
    profiles.mode("dotfiles", 0o700);
    fs::rename(profiles.file(), profiles.0.path("dotfiles/imts.toml")).unwrap();
    symlink("../dotfiles/imts.toml", profiles.file()).unwrap();
    assert_eq!(show(&profiles, "good").code, 0);
    for (path, good, bad) in
        [("dotfiles/imts.toml", 0o600, 0o606), ("dotfiles", 0o700, 0o770), ("imts", 0o700, 0o707)]
    {
        profiles.mode(path, bad);
        assert_refused(
            &show(&profiles, "good"),
            &[&format!("chmod go-w {}", profiles.0.path(path))],
        );
        profiles.mode(path, good);
    }
    // A link to a folder is a way too.
    fs::remove_file(profiles.file()).unwrap();
    fs::remove_dir(profiles.0.path("imts")).unwrap();
    symlink(&there, profiles.0.path("imts")).unwrap();
    fs::rename(profiles.0.path("dotfiles/imts.toml"), profiles.file()).unwrap();
    assert_eq!(show(&profiles, "good").code, 0);
    profiles.mode("dotfiles", 0o720);
    assert_refused(&show(&profiles, "good"), &["dotfiles"]);
    profiles.mode("dotfiles", 0o700);
    fs::remove_file(profiles.file()).unwrap();
    symlink("config.toml", profiles.file()).unwrap();
    assert_refused(&show(&profiles, "good"), &["leads to itself"]);
}

/// Only root can give a file to another user. Without root, that user's view is the one to test: the file
/// and its folders are root's or one's own, and are used.
#[test]
fn a_file_of_another_user_is_refused_and_one_of_roots_is_not() {
    let profiles = Profiles::new("owners", GOOD);
    if !rustix::process::geteuid().is_root() {
        let owner = fs::metadata("/").map(|root| std::os::unix::fs::MetadataExt::uid(&root));
        assert_eq!((owner.unwrap(), show(&profiles, "good").code), (0, 0));
        return;
    }
    for path in ["imts/config.toml", "imts", ""] {
        chown(profiles.0.path(path), Some(54_321), None).unwrap();
        assert_refused(&show(&profiles, "good"), &["belongs to another user (its id is 54321)"]);
        chown(profiles.0.path(path), Some(0), None).unwrap();
    }
    // Another user's link in a folder of all users leads where that user wants.
    let target = profiles.0.path("imts");
    profiles.mode("", 0o1777);
    fs::rename(&target, profiles.0.path("real")).unwrap();
    symlink("real", &target).unwrap();
    assert_eq!(show(&profiles, "good").code, 0);
    std::os::unix::fs::lchown(&target, Some(54_321), None).unwrap();
    assert_refused(&show(&profiles, "good"), &["belongs to another user"]);
    fs::remove_file(&target).unwrap();
}

#[test]
fn the_file_is_in_the_folder_of_settings_and_a_relative_folder_is_an_error() {
    let profiles = Profiles::new("places", GOOD);
    let home = Profiles::new("home", "");
    fs::create_dir_all(home.0.path(".config/imts")).unwrap();
    fs::write(home.0.path(".config/imts/config.toml"), GOOD.replace("agent-7", "at-home")).unwrap();
    home.mode(".config", 0o700);
    home.mode(".config/imts", 0o700);
    home.mode(".config/imts/config.toml", 0o600);
    let show = |xdg: Option<&str>, home: Option<&str>| {
        let mut command = profiles.imts(&["config", "show", "--json", "--profile", "good"]);
        for (name, value) in [("XDG_CONFIG_HOME", xdg), ("HOME", home)] {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        run(command.current_dir(profiles.0.path("")))
    };
    let (xdg, at_home) = (profiles.0.path(""), home.0.path(""));
    assert!(show(Some(&xdg), Some(&at_home)).out.contains("agent-7"));
    assert!(show(Some(&xdg), None).out.contains("agent-7"));
    for unset in [None, Some("")] {
        assert!(show(unset, Some(&at_home)).out.contains("at-home"));
        assert_refused(&show(unset, unset), &["neither XDG_CONFIG_HOME nor HOME is set"]);
        assert_refused(&show(unset, Some("home")), &["HOME is not an absolute path"]);
    }
    // Read from here, this folder would be the right one. Another file is no answer either.
    assert_refused(&show(Some("."), Some(&at_home)), &["XDG_CONFIG_HOME is not an absolute path"]);
}
