//! The rules of every journal, kept by the one in a file.

use imts::JournalFile;
use imts::journal::{CallRecord, Journal};

use crate::Folder;
use crate::every::{Place, RULES};

impl Place for Folder {
    fn open(&mut self) -> Box<dyn Journal> {
        Box::new(JournalFile::open(self.path()).unwrap())
    }

    fn call(&mut self, id: u64) -> Option<CallRecord> {
        JournalFile::read_all(self.path()).unwrap().call(id).cloned()
    }
}

#[test]
fn a_journal_in_a_file_keeps_the_rules_of_every_journal() {
    for (name, rule) in RULES {
        println!("{name}");
        rule(&mut Folder::new());
    }
}
