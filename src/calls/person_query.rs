//! What a person is looked up by: a username, a phone number, a user id, or a contact's name.

use super::Party;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonQuery {
    /// Without the `@`.
    Username(String),
    /// The digits of an international phone number.
    Phone(String),
    /// Digits without a `+`: the id of a user, or the phone number of a contact.
    Number(String),
    /// A contact's name, or the beginning of one. An empty name is that of every contact.
    Name(String),
}

impl PersonQuery {
    /// Reads what a person has typed.
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        let link = text.strip_prefix("https://").unwrap_or(text);
        let username = link.strip_prefix('@').or_else(|| link.strip_prefix("t.me/"));
        if let Some(username) = username {
            return Self::Username(username.trim_end_matches('/').to_owned());
        }
        let is_written = |char: char| char.is_ascii_digit() || " ()-.".contains(char);
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        match text.strip_prefix('+') {
            Some(number) if number.chars().all(is_written) => Self::Phone(digits(number)),
            None if text.contains(|it: char| it.is_ascii_digit())
                && text.chars().all(is_written) =>
            {
                Self::Number(digits(text))
            }
            _ => Self::Name(text.to_owned()),
        }
    }
}

/// Those of some people who are meant by a name: those who have exactly this name or username, or
/// else those of whose name a word begins with it.
pub fn named(people: Vec<Party>, name: &str) -> Vec<Party> {
    if name.is_empty() {
        // It would be the name of everybody without one.
        return people;
    }
    let wanted = name.to_lowercase();
    let names = |party: &Party| [&party.name, &party.username].map(|it| lower(it.as_deref()));
    let exact: Vec<_> =
        people.iter().filter(|party| names(party).contains(&wanted)).cloned().collect();
    if !exact.is_empty() {
        return exact;
    }
    let begins = |party: &Party| {
        names(party).iter().any(|name| {
            name.starts_with(&wanted)
                || name.match_indices(' ').any(|(at, _)| name[at + 1..].starts_with(&wanted))
        })
    };
    people.into_iter().filter(begins).collect()
}

/// Whether a caller is the one who is meant. Anybody can take any name, so that a name means a contact
/// only.
pub fn is_caller(caller: &Party, wanted: &str) -> bool {
    match PersonQuery::of(wanted) {
        PersonQuery::Username(username) => {
            caller.username.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(&username))
        }
        PersonQuery::Phone(number) => caller.phone.as_ref() == Some(&number),
        PersonQuery::Number(number) => {
            caller.user_id.to_string() == number || caller.phone.as_ref() == Some(&number)
        }
        PersonQuery::Name(name) => {
            caller.contact == Some(true) && !named(vec![caller.clone()], &name).is_empty()
        }
    }
}

fn lower(name: Option<&str>) -> String {
    name.unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_told_apart() {
        use PersonQuery::{Name, Number, Phone, Username};
        let cases = [
            ("@grace", Username("grace".to_owned())),
            (" https://t.me/grace/ ", Username("grace".to_owned())),
            ("t.me/grace", Username("grace".to_owned())),
            ("+1 (555) 01-00", Phone("15550100".to_owned())),
            ("15550100", Number("15550100".to_owned())),
            ("Grace Hopper", Name("Grace Hopper".to_owned())),
            ("Agent 47", Name("Agent 47".to_owned())),
            ("+grace", Name("+grace".to_owned())),
            ("-", Name("-".to_owned())),
            ("", Name(String::new())),
        ];
        for (text, query) in cases {
            assert_eq!(PersonQuery::of(text), query, "{text}");
        }
    }

    #[test]
    fn a_whole_name_is_preferred_to_the_beginning_of_another() {
        let people = [("Ann", None), ("Anna Lee", Some("lee")), ("Li Ann", None), ("Édith", None)];
        let people: Vec<_> = people
            .iter()
            .zip(1..)
            .map(|((name, username), id)| Party {
                name: Some((*name).to_owned()),
                username: username.map(str::to_owned),
                ..Party::unknown(id)
            })
            .collect();
        let cases: [(&str, &[i64]); 8] = [
            ("ann", &[1]),
            ("An", &[1, 2, 3]),
            ("lee", &[2]),
            ("LE", &[2]),
            ("li a", &[3]),
            ("é", &[4]),
            ("nn", &[]),
            ("", &[1, 2, 3, 4]),
        ];
        for (name, ids) in cases {
            let found: Vec<_> =
                named(people.clone(), name).iter().map(|party| party.user_id).collect();
            assert_eq!(found, ids, "{name}");
        }
    }
    #[test]
    fn only_a_contact_is_meant_by_a_name() {
        let grace = Party {
            name: Some("Grace Hopper".to_owned()),
            username: Some("grace".to_owned()),
            phone: Some("15550100".to_owned()),
            contact: Some(true),
            ..Party::unknown(77)
        };
        for wanted in ["grace", "hop", "@GRACE", "+1 555 0100", "77", "15550100"] {
            assert!(is_caller(&grace, wanted), "{wanted}");
        }
        for wanted in ["ada", "@gra", "+77", "7"] {
            assert!(!is_caller(&grace, wanted), "{wanted}");
        }
        for contact in [None, Some(false)] {
            let stranger = Party { contact, ..grace.clone() };
            assert!(!is_caller(&stranger, "Grace Hopper"));
            assert!(is_caller(&stranger, "@grace"));
        }
    }
}
