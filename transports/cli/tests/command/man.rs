//! `imts man`: the pages that a package installs.

use std::collections::BTreeSet;
use std::fs;

use crate::{Folder, imts, run};

#[test]
fn each_command_has_a_page_that_says_what_its_help_says() {
    let folder = Folder::new("man-pages");
    let out = folder.path("pages");
    fs::create_dir(&out).unwrap();
    let ran = run(&mut imts(&["man", &out]));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let names: BTreeSet<_> = fs::read_dir(&out)
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    for page in ["imts.1", "imts-call.1", "imts-exec.1", "imts-journal.1", "imts-journal-resolve.1"]
    {
        assert!(names.contains(page), "{page}: {names:?}");
    }
    assert!(ran.out.starts_with(&format!("{} man pages", names.len())), "{ran:?}");
    let call = fs::read_to_string(format!("{out}/imts-call.1")).unwrap();
    for part in [
        ".TH imts-call 1",
        ".SH EXAMPLE",
        "imts call fees ",
        ".SH NOTES",
        "7 an earlier call",
        "IMTS_BASE_URL",
    ] {
        assert!(call.contains(part), "{part}: {call}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_a_mistake() {
    let folder = Folder::new("man-nowhere");
    let ran = run(&mut imts(&["man", &folder.path("nowhere")]));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("make the folder first"), "{ran:?}");
}
