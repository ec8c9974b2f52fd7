//! Answers in files: what is on the disk, and which folders are refused.

use std::fs;

use imts::callback::{Answers, AnswersError, Claimed, FileAnswers};

use crate::answers::claim;
use crate::folder::Folder;

#[cfg(unix)]
#[test]
fn files_and_folder_are_closed_to_other_users() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let answers = FileAnswers::open(folder.answers()).unwrap();
    answers.claim(&claim("1", 1)).unwrap();
    answers.settle(&claim("1", 1), b"answer").unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.answers()), 0o700);
    let files: Vec<_> =
        fs::read_dir(folder.answers()).unwrap().map(|it| it.unwrap().path()).collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
    fs::set_permissions(folder.answers(), PermissionsExt::from_mode(0o777)).unwrap();
    let refused = FileAnswers::open(folder.answers()).map(drop).unwrap_err();
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(why.contains("other users"), "{why}");
}

#[test]
fn an_answer_outlives_its_process_and_a_claim_does_not() {
    let folder = Folder::new();
    let first = FileAnswers::open(folder.answers()).unwrap();
    first.claim(&claim("1", 1)).unwrap();
    let kept = first.settle(&claim("1", 1), b"answer").unwrap();
    first.claim(&claim("2", 2)).unwrap();
    drop(first);
    let second = FileAnswers::open(folder.answers()).unwrap();
    assert_eq!(second.claim(&claim("1", 3)).unwrap(), Claimed::Answered(kept));
    assert_eq!(second.claim(&claim("2", 4)).unwrap(), Claimed::Again);
}

#[test]
fn a_damaged_answer_is_an_error_and_is_left_as_it_is() {
    let folder = Folder::new();
    let answers = FileAnswers::open(folder.answers()).unwrap();
    answers.claim(&claim("1", 1)).unwrap();
    answers.settle(&claim("1", 1), b"answer").unwrap();
    let file = folder.answers().join("result-1-1");
    let whole = fs::read(&file).unwrap();
    for end in 0..whole.len() {
        fs::write(&file, &whole[..end]).unwrap();
        let error = answers.claim(&claim("1", 2)).unwrap_err();
        assert!(matches!(error, AnswersError::Unreachable(_)), "{end}: {error}");
        assert_eq!(fs::read(&file).unwrap(), &whole[..end]);
    }
    fs::write(&file, whole).unwrap();
    assert!(matches!(answers.claim(&claim("1", 2)), Ok(Claimed::Answered(_))));
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_an_answer_is_refused() {
    let folder = Folder::new();
    let answers = FileAnswers::open(folder.answers()).unwrap();
    fs::write(folder.path().join("elsewhere"), "imts-answer 1 begun\n").unwrap();
    let link = folder.answers().join("result-1-1");
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), link).unwrap();
    assert!(answers.claim(&claim("1", 1)).is_err());
}
