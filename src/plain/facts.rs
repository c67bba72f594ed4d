//! What plain mode announces besides changes of calls and connections: the facts, and their differences.

use super::own_call::{AnnouncedDial, AnnouncedOwnCall};
use super::reply::AnnouncedReply;
use super::{Narrator, keys};
use crate::app::account::AccountState;
use crate::app::action::{Action, Layer};
use crate::app::dialog::{Choice, Dialog};
use crate::app::notice::Notice;
use crate::app::{Privacy, State};
use crate::calls::column::Column;
use crate::calls::{AccountId, CallKey};
use crate::words::failure::FROZEN;
use crate::words::plain as words;
use crate::words::screen::{UNCONFIRMED, calls_off};

/// What is compared after each message. It is small: a state may have thousands of calls.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Facts {
    pub(super) selection: Option<CallKey>,
    marked: usize,
    filter: String,
    sorted: (Column, bool),
    frozen: bool,
    privacy: Privacy,
    pub(super) dialog: AnnouncedDialog,
    notices: Vec<Notice>,
    accounts: Vec<AnnouncedFlags>,
    pub(super) own_call: Option<AnnouncedOwnCall>,
    pub(super) dial: Option<AnnouncedDial>,
    pub(super) reply: Option<AnnouncedReply>,
}

/// A condition of an account that needs the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct AnnouncedFlags {
    calls_off: bool,
    unconfirmed: bool,
    frozen: bool,
}

/// The dialog that was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum AnnouncedDialog {
    #[default]
    None,
    /// The picker with its cursor.
    Picker(Choice),
    Filter,
    CommandLine,
    /// Signing in has no place in plain mode, and the dialog does not open.
    SignIn,
    Quit,
    SwitchCalls(AccountId, bool),
    AnswerOther(CallKey),
    Dial,
    Reply,
    Rating,
    DoNotDisturb,
    /// The dialogs of the screen of the accounts, which plain mode does not have.
    OfAccounts,
}

impl Facts {
    pub(super) fn of(state: &State) -> Self {
        Self {
            selection: state.selection(),
            marked: state.calls.marked().len(),
            filter: state.calls.filter().to_owned(),
            sorted: (state.calls.sort_column(), state.calls.is_reversed()),
            frozen: state.frozen.is_some(),
            privacy: state.privacy,
            dialog: match &state.dialog {
                None => AnnouncedDialog::None,
                Some(Dialog::Picker(picker)) => AnnouncedDialog::Picker(picker.cursor),
                Some(Dialog::Filter { .. }) => AnnouncedDialog::Filter,
                Some(Dialog::CommandLine(_)) => AnnouncedDialog::CommandLine,
                Some(Dialog::SignIn(_)) => AnnouncedDialog::SignIn,
                Some(Dialog::Quit) => AnnouncedDialog::Quit,
                Some(Dialog::SwitchCalls { account, on }) => {
                    AnnouncedDialog::SwitchCalls(*account, *on)
                }
                Some(Dialog::SignOut(_) | Dialog::Rename(_)) => AnnouncedDialog::OfAccounts,
                Some(Dialog::AnswerOther(key)) => AnnouncedDialog::AnswerOther(*key),
                Some(Dialog::Dial(_)) => AnnouncedDialog::Dial,
                Some(Dialog::Reply(_)) => AnnouncedDialog::Reply,
                Some(Dialog::Rating) => AnnouncedDialog::Rating,
                Some(Dialog::DoNotDisturb(_)) => AnnouncedDialog::DoNotDisturb,
                // Plain mode does not open it.
                Some(Dialog::Devices(_)) => AnnouncedDialog::None,
            },
            notices: state.notices.all().cloned().collect(),
            accounts: state.accounts.iter().map(AnnouncedFlags::of).collect(),
            own_call: state.phone.as_ref().map(AnnouncedOwnCall::of),
            dial: match &state.dialog {
                Some(Dialog::Dial(dial)) => Some(AnnouncedDial::of(dial)),
                _ => None,
            },
            reply: match &state.dialog {
                Some(Dialog::Reply(dialog)) => Some(AnnouncedReply::of(dialog)),
                _ => None,
            },
        }
    }
}

impl AnnouncedFlags {
    fn of(account: &AccountState) -> Self {
        Self {
            calls_off: account.authorization.calls_off,
            unconfirmed: account.authorization.unconfirmed,
            frozen: account.frozen_by_telegram,
        }
    }
}

impl Narrator {
    /// Announces each notice when it comes, and again when it is shown again.
    pub(super) fn announce_notices(&mut self, before: &Facts) {
        let new = self.facts.notices.iter().filter(|notice| !before.notices.contains(notice));
        for text in new.map(|notice| notice.text.clone()).collect::<Vec<_>>() {
            // The end of a call is announced already.
            let announced = self.sentences.contains(&text) || self.replaced.as_ref() == Some(&text);
            if !announced {
                self.announce(text);
            }
        }
        self.replaced = None;
    }

    pub(super) fn announce_accounts(&mut self, before: &Facts, state: &State) {
        for (at, flags) in self.facts.accounts.clone().into_iter().enumerate() {
            let known = before.accounts.get(at).copied().unwrap_or_default();
            let name = state.shown_account(&state.accounts[at]);
            if flags.calls_off && !known.calls_off {
                let key = self.keymap.hint(Layer::Board, Action::EnableCalls);
                self.announce(words::connection(&name, &calls_off(key.as_deref())));
            }
            if known.calls_off && !flags.calls_off {
                self.announce(words::connection(&name, words::RECEIVES_CALLS));
            }
            if flags.unconfirmed && !known.unconfirmed {
                self.announce(words::connection(&name, UNCONFIRMED));
            }
            if flags.frozen && !known.frozen {
                self.announce(words::connection(&name, FROZEN));
            }
        }
    }

    /// Announces marks, filter, order, freeze and the privacy mask.
    pub(super) fn announce_board(&mut self, before: &Facts, state: &State) {
        let filtering = self.facts.dialog == AnnouncedDialog::Filter;
        let facts = &mut self.facts;
        let mut announced = Vec::new();
        if facts.marked != before.marked {
            announced.push(words::marked(facts.marked));
        }
        // A filter is announced when it has been typed.
        if filtering {
            facts.filter.clone_from(&before.filter);
        } else if facts.filter != before.filter {
            let (shown, all) = (state.calls.rows().len(), state.calls.len());
            let none = facts.filter.is_empty();
            announced.push(if none {
                words::NO_FILTER.to_owned()
            } else {
                words::filtered(&facts.filter, shown, all)
            });
        }
        if facts.sorted != before.sorted {
            announced.push(words::sorted(facts.sorted.0.code(), facts.sorted.1));
        }
        if facts.frozen != before.frozen {
            announced.push(if facts.frozen { words::FROZEN } else { words::THAWED }.to_owned());
        }
        if facts.privacy != before.privacy {
            let text = match facts.privacy {
                Privacy::Masked => words::NAMES_HIDDEN,
                Privacy::Open => words::NAMES_SHOWN,
            };
            announced.push(text.to_owned());
        }
        self.sentences.extend(announced);
    }

    /// Announces a dialog that has opened, the picker's cursor, and the help page.
    pub(super) fn announce_dialog(&mut self, before: &Facts, state: &State) {
        if state.help.is_some() {
            self.sentences.extend(keys::help(&self.keymap, state.layer_below_help()));
        }
        if self.facts.dialog == before.dialog {
            return;
        }
        let announced = match (&state.dialog, before.dialog) {
            (Some(Dialog::Picker(picker)), AnnouncedDialog::Picker(_)) => {
                keys::cursor(state, picker)
            }
            (Some(Dialog::Picker(picker)), _) => keys::picker(&self.keymap, state, picker),
            _ => state.confirmation().map(|question| keys::question(&self.keymap, &question)),
        };
        self.sentences.extend(announced);
    }
}
