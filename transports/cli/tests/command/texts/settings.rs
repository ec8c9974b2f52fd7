//! URLs, secrets, certificates, proxies and service files that cannot be used.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::time::Instant;

use imts_sandbox::{Front, Sandbox};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::scenes::{Scenes, plain};
use crate::{AGENT, SECRET, call, imts, ran, token};

const HTTPS: &str = "https://host.invalid";

pub(super) fn shoot(scenes: &mut Scenes) {
    endpoints(scenes);
    secrets(scenes);
    certificates_and_proxies(scenes);
    service_files(scenes);
    pipes(scenes);
    prompt(scenes);
}

fn endpoints(scenes: &mut Scenes) {
    scenes.both("no base URL", || imts(&["token"]));
    let long = format!("{HTTPS}/{}", "x".repeat(2_048));
    for (situation, url) in [
        ("a URL without a scheme", "host.example"),
        ("another scheme", "ftp://host.example"),
        ("plain http to another machine", "http://host.example"),
        ("plain http to this machine", "http://127.0.0.1:1"),
        ("a user name in the URL", "https://user@host.example"),
        ("a query in the URL", "https://host.example/?q"),
        ("a port that is not one", "https://host.example:99999"),
        ("a URL without a host", "https://"),
        ("dots in the path", "https://host.example/../x"),
        ("a URL that is too long", &long),
    ] {
        scenes.run(situation, imts(&["token", "--base-url", url]).env("IMTS_AGENT_ID", AGENT));
    }
    let plain = ["token", "--plain-http", "--base-url", "http://host.example"];
    scenes.run("--plain-http and another machine", &mut imts(&plain));
}

fn secrets(scenes: &mut Scenes) {
    let at = ["token", "--base-url", HTTPS];
    scenes.run("no agent id", &mut imts(&at));
    scenes.run("no secret", imts(&at).args(["--agent-id", AGENT]));
    scenes.run("an empty agent id", token(HTTPS, &["--agent-id", ""]).env_remove("IMTS_AGENT_ID"));
    scenes.run("an empty secret", token(HTTPS, &[]).env("IMTS_AGENT_SECRET", ""));
    let not_text = OsStr::from_bytes(b"\xff\xfe");
    scenes.run("a secret that is not UTF-8", token(HTTPS, &[]).env("IMTS_AGENT_SECRET", not_text));
    for (situation, secret) in
        [("a secret of two lines", "a\nb"), ("a secret with an invisible character", "a\u{200b}")]
    {
        scenes.run(situation, token(HTTPS, &[]).env("IMTS_AGENT_SECRET", secret));
    }
    let wide = scenes.folder.write("wide", b"\xff\xfea\0");
    scenes.run("a secret in UTF-16", &mut token(HTTPS, &["--secret-file", &wide]));
    let repeated = ["-d", r#"{"x":"the-secret-itself"}"#];
    let mut command = call(HTTPS, "fees", &repeated);
    scenes.run("a secret in an argument", command.env("IMTS_AGENT_SECRET", "the-secret-itself"));
    let missing = scenes.folder.path("missing");
    scenes.run(
        "a file of the secret that is missing",
        &mut token(HTTPS, &["--secret-file", &missing]),
    );
    let long = scenes.folder.write("long", vec![b'x'; 65_537]);
    scenes.run("a secret that is too long", &mut token(HTTPS, &["--secret-file", &long]));
    let binary = scenes.folder.write("binary", b"\xff");
    scenes.run(
        "a file of the secret that is not text",
        &mut token(HTTPS, &["--secret-file", &binary]),
    );
    let mut command = token(HTTPS, &["--secret-file", "-"]);
    let mut child =
        plain(&mut command).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"\xff").unwrap();
    let ran = ran(&command, child.wait_with_output().unwrap(), Instant::now());
    scenes.add("a secret on stdin that is not text", &command, &ran);
    let twice = ["-d", "-", "--secret-file", "-"];
    scenes.run("stdin for the secret and the data", &mut call(HTTPS, "fees", &twice));
}

fn certificates_and_proxies(scenes: &mut Scenes) {
    let text = scenes.folder.write("no-pem", "no certificate");
    let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = scenes.folder.write("broken-pem", bad);
    let cut = scenes.folder.write("cut-pem", "-----BEGIN CERTIFICATE-----\nAAAA");
    for (situation, file) in [
        ("a file of certificates that is missing", "/no/such/file"),
        ("a file without a certificate", &text),
        ("a certificate that is not one", &broken),
        ("a certificate that is cut off", &cut),
    ] {
        scenes.run(situation, &mut token(HTTPS, &["--ca-file", file]));
    }
    let mut bare = token(HTTPS, &[]);
    bare.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/no/such/folder");
    scenes.run("a machine without certificates", &mut bare);
    let by_password = ["--proxy", "http://user:password@host:3128"];
    scenes.run("a proxy's password as an argument", &mut token(HTTPS, &by_password));
    let file = format!("@{}", scenes.folder.write("proxy", "socks5://user:password@host:1"));
    scenes.run("a file of a proxy that is not one", &mut token(HTTPS, &["--proxy", &file]));
    let blank = format!("@{}", scenes.folder.write("blank", "\n"));
    scenes.run("a file of a proxy that is blank", &mut token(HTTPS, &["--proxy", &blank]));
    scenes.run("a proxy that is not one", &mut token(HTTPS, &["--proxy", "ftp://host"]));
    let by_environment = &mut token(HTTPS, &["--proxy", "env"]);
    scenes.run("the same in the environment", by_environment.env("HTTPS_PROXY", "x y"));
}

fn service_files(scenes: &mut Scenes) {
    let missing = scenes.folder.path("missing.toml");
    scenes.both("a service file that is missing", || {
        imts(&["operations", "--service-file", &missing])
    });
    let long = format!("# {}", "x".repeat(1_048_576));
    let cases = [
        ("a service file that is too long", long.as_str()),
        ("no version", "[operation.confirm]\npath = \"/x\"\n"),
        ("another version", "version = 2\n"),
        ("not TOML", "version = \n"),
        ("a field that does not exist", "version = 1\n[operation.confirm]\npth = \"/x\"\n"),
        ("a path that is not one", "version = 1\n[operation.confirm]\npath = \"x\"\n"),
        ("an operation without a class", "version = 1\n[operation.report]\npath = \"/x\"\n"),
        ("an operation that is misspelt", "version = 1\n[operation.confrim]\npath = \"/x\"\n"),
        ("another class", "version = 1\n[operation.confirm]\npath = \"/x\"\nclass = \"read\"\n"),
        (
            "a name that is not one",
            "version = 1\n[operation.Report]\npath = \"/x\"\nclass = \"read\"\n",
        ),
        (
            "a status that is not one",
            "version = 1\n[operation.confirm]\npath = \"/x\"\n\
             decided_before_processing.statuses = [17]\n",
        ),
        (
            "a reply limit of nothing",
            "version = 1\n[operation.confirm]\npath = \"/x\"\nreply_limit = 0\n",
        ),
        (
            "a reply limit of the sign-in",
            "version = 1\n[operation.get-token]\npath = \"/x\"\nreply_limit = 10\n",
        ),
        (
            "two operations with one path",
            "version = 1\n[operation.confirm]\npath = \"/x\"\n[operation.payout]\npath = \"/x\"\n",
        ),
    ];
    for (situation, text) in cases {
        let file = scenes.folder.write("wrong.toml", text);
        scenes.run(situation, &mut imts(&["operations", "--service-file", &file]));
    }
    let control = "version = 1\n[operation.confirm]\npath = \"/_sandbox/x\"\n";
    let file = scenes.folder.write("control.toml", control);
    scenes.run("a path of the sandbox's own", &mut imts(&["sandbox", "--service-file", &file]));
    let good = scenes.folder.service_file();
    scenes.both("the operations", || imts(&["operations", "--service-file", &good]));
}

/// What is read from a pipe in which nobody writes.
fn pipes(scenes: &mut Scenes) {
    let pipe = scenes.folder.path("pipe");
    mkfifo(pipe.as_str(), Mode::S_IRWXU).unwrap();
    let brief = ["--timeout", "200ms"];
    for (situation, option) in [
        ("a service file that does not come", "--service-file"),
        ("a secret that does not come", "--secret-file"),
        ("certificates that do not come", "--ca-file"),
    ] {
        scenes.run(situation, token(HTTPS, &[option, &pipe]).args(brief));
    }
    let data = format!("@{pipe}");
    scenes.run("data that does not come", call(HTTPS, "fees", &["-d", &data]).args(brief));
}

/// Asks for the secret at a terminal, and gets it.
fn prompt(scenes: &mut Scenes) {
    let front = Front::start(Sandbox::default()).unwrap();
    let typed = asked_and_typed(&front.url(), SECRET);
    scenes.note("the prompt for a secret", &typed);
    let typed = asked_and_typed(&front.url(), &"x".repeat(4_100));
    scenes.note("a secret that is longer than a terminal's line", &typed);
    // The link is what some people pass as a file; it is followed.
    let link = scenes.folder.path("link");
    symlink(scenes.folder.write("secret", SECRET), &link).unwrap();
    scenes.run("a secret in a file", &mut token(&front.url(), &["--secret-file", &link]));
}

/// Returns what a person sees who types `secret` at the prompt.
fn asked_and_typed(url: &str, secret: &str) -> String {
    use std::fs::File;
    use std::io::Read;
    use std::process::Command;
    let terminal = nix::pty::openpty(None, None).unwrap();
    let mut command = Command::new("setsid");
    command.args(["--ctty", "--wait", env!("CARGO_BIN_EXE_imts"), "token", "--plain-http"]);
    command.args(["--base-url", url, "--secret-file", "-"]);
    command.env("IMTS_AGENT_ID", AGENT).stdin(terminal.slave.try_clone().unwrap());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let mut screen = File::from(terminal.master);
    let mut shown = [0; 64];
    let length = screen.read(&mut shown).unwrap();
    let shown = String::from_utf8_lossy(&shown[..length]).into_owned();
    screen.write_all(format!("{secret}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said =
        String::from_utf8(if output.status.success() { output.stdout } else { output.stderr });
    format!("$ imts token --secret-file -\n{shown}\n{}", said.unwrap())
}
