//! The files of recordings.

use onhook_voice::RecordingEvent;

use crate::app::recording::RecordingChange;
use crate::text;

/// The longest name of a person in the name of a file, in bytes.
const LONGEST_NAME: usize = 80;

/// The name of the file of a recording. What a file system or a shell could misread in the name of
/// the person becomes `_`.
pub(super) fn file_name(stamp: &str, person: &str) -> String {
    let is_safe = |char: &char| char.is_alphanumeric() || " .-_".contains(*char);
    let mut name = String::new();
    for char in person.chars().map(|char| if is_safe(&char) { char } else { '_' }) {
        if name.len() + char.len_utf8() > LONGEST_NAME {
            break;
        }
        name.push(char);
    }
    let name = format!("{stamp} {name}");
    format!("{}.opus", name.trim_end())
}

pub(super) fn change(event: RecordingEvent) -> RecordingChange {
    match event {
        RecordingEvent::Started(_) => RecordingChange::Started,
        RecordingEvent::Finished { path, summary } => RecordingChange::Finished {
            path: text::clean(&path.display().to_string()),
            seconds: summary.duration.as_secs(),
            missing: summary.missing.as_secs_f64().ceil() as u64,
        },
        RecordingEvent::Failed(error) => RecordingChange::Failed(text::clean(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_person_cannot_leave_the_folder_or_be_too_long() {
        let cases = [
            ("Grace Hopper", "S Grace Hopper.opus"),
            ("../../etc/passwd", "S .._.._etc_passwd.opus"),
            ("a\0b:c*?\"<>|", "S a_b_c______.opus"),
            ("Édith 🎵", "S Édith _.opus"),
            ("", "S.opus"),
        ];
        for (person, file) in cases {
            assert_eq!(file_name("S", person), file, "{person}");
        }
        assert!(file_name("S", &"é".repeat(300)).len() < 100);
    }
}
