//! What plain mode announces of the dialog in which a text for a caller is chosen or typed.

use super::{Facts, Narrator};
use crate::app::State;
use crate::app::action::{Action, Layer};
use crate::app::dialog::Dialog;
use crate::app::reply_dialog::ReplyDialog;
use crate::calls::reply_text::BadReplyText;
use crate::words;
use crate::words::plain;

/// What was announced of the dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AnnouncedReply {
    cursor: usize,
    wrong: Option<BadReplyText>,
}

impl AnnouncedReply {
    pub(super) fn of(dialog: &ReplyDialog) -> Self {
        Self { cursor: dialog.cursor, wrong: dialog.wrong }
    }
}

impl Narrator {
    /// Announces the dialog when it opens, the text that Enter sends, and what is wrong with it.
    pub(super) fn announce_reply(&mut self, before: &Facts, state: &State) {
        let Some(Dialog::Reply(dialog)) = &state.dialog else { return };
        if before.reply.is_none() {
            let peer = state.calls.get(dialog.key).map(|call| state.shown_name(&call.peer));
            let title = words::reply::title(&peer.unwrap_or_default());
            let key = |action| self.keymap.hint(Layer::Reply, action);
            let keys = [(Action::Accept, words::reply::SEND), (Action::Back, words::reply::BACK)];
            let keys = keys.map(|(action, what)| key(action).map(|key| plain::key(&key, what)));
            let keys: Vec<_> = keys.into_iter().flatten().collect();
            self.announce(plain::text_dialog(&title, &keys));
        }
        let now = AnnouncedReply::of(dialog);
        if before.reply == Some(now) {
            return;
        }
        match (dialog.wrong, dialog.chosen()) {
            (Some(wrong), _) => self.announce(words::reply::bad(wrong)),
            (None, Some(text)) => self.announce(plain::enter_sends(&crate::text::clean(text))),
            // What is typed is in front of the cursor.
            (None, None) => {}
        }
    }
}
