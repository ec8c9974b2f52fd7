//! The help of each command, short and long.

use super::scenes::Scenes;
use crate::imts;

const COMMANDS: [&[&str]; 31] = [
    &[],
    &["token"],
    &["watch"],
    &["exec"],
    &["call"],
    &["operations"],
    &["journal"],
    &["journal", "list"],
    &["journal", "resolve"],
    &["journal", "reconcile"],
    &["journal", "accept"],
    &["journal", "compact"],
    &["journal", "migrate"],
    &["store"],
    &["store", "show"],
    &["store", "forget"],
    &["store", "migrate"],
    &["config"],
    &["config", "show"],
    &["config", "check"],
    &["config", "list"],
    &["sign"],
    &["sign", "jws"],
    &["sign", "pg-sig"],
    &["verify"],
    &["verify", "jws"],
    &["verify", "pg-sig"],
    &["sandbox"],
    &["demo"],
    &["completions"],
    &["man"],
];

pub(super) fn shoot(scenes: &mut Scenes) {
    for command in COMMANDS {
        scenes.run(&format!("help: {}", command.join(" ")), imts(command).arg("--help"));
        scenes.run("", imts(command).arg("-h"));
    }
    scenes.run("the version", &mut imts(&["--version"]));
}

#[test]
fn the_first_help_fits_a_screen_and_the_others_open_with_an_example() {
    for command in COMMANDS {
        for flag in ["--help", "-h"] {
            let ran = crate::run(super::scenes::plain(imts(command).arg(flag)));
            let height = ran.out.lines().count();
            assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
            if command.is_empty() {
                let most = if flag == "-h" { 28 } else { 60 };
                assert!(height <= most, "{height} lines:\n{}", ran.out);
            } else {
                assert!(ran.out.starts_with("Example: imts "), "{}", ran.out);
            }
        }
    }
}
