//! The media of the calls in which the program takes part. An engine has threads and needs the real
//! clock, so that the test stands in for it: it receives the effects and makes the events of a plan.
//! (h) No media outlive their call.

use std::collections::HashSet;
use std::time::Duration;

use onhook::app::State;
use onhook::app::effect::PhoneEffect;
use onhook::app::phone::PhoneEvent;
use onhook::calls::CallKey;
use onhook_loopback::MediaCall;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

/// What the media of one call report.
#[derive(Debug, Clone)]
pub struct MediaScript {
    /// The events, and after how many milliseconds each one follows the one before. Signaling gets its
    /// bytes when it is made.
    pub events: Vec<(u64, PhoneEvent)>,
    /// For how many milliseconds events that were on their way still come after a stop.
    pub late: u64,
}

/// The media of all calls of a session.
pub struct MediaStandIn {
    effects: mpsc::UnboundedReceiver<PhoneEffect>,
    scripts: Vec<MediaScript>,
    /// The call whose media run, and for how long events come after the stop.
    running: Option<(CallKey, Duration)>,
    /// All calls whose media were ever started.
    started: HashSet<CallKey>,
    /// Events that will come, in order.
    coming: Vec<(Instant, CallKey, PhoneEvent)>,
}

impl MediaStandIn {
    pub fn new(scripts: Vec<MediaScript>) -> (Self, mpsc::UnboundedSender<PhoneEffect>) {
        let (sender, effects) = mpsc::unbounded_channel();
        let (started, coming) = (HashSet::new(), Vec::new());
        (Self { effects, scripts, running: None, started, coming }, sender)
    }

    /// The program was started again: nothing is left of its media.
    pub fn restarted(&mut self) -> mpsc::UnboundedSender<PhoneEffect> {
        let (sender, effects) = mpsc::unbounded_channel();
        (self.effects, self.running) = (effects, None);
        self.coming.clear();
        sender
    }

    /// Of how many calls the media were started.
    pub fn started(&self) -> usize {
        self.started.len()
    }

    /// The next event that is due.
    pub fn next_event(&mut self) -> Option<(CallKey, PhoneEvent)> {
        let (at, key, _) = self.coming.first()?;
        let (at, key) = (*at, *key);
        if at > Instant::now() {
            return None;
        }
        let (_, _, event) = self.coming.remove(0);
        Some((key, event))
    }

    /// (h) Carries out the effects of one message. Media start once, for a call that has not ended,
    /// and are stopped once it has; nothing is wanted of media that do not run.
    pub fn carry_out(&mut self, state: &State) -> Result<(), String> {
        while let Ok(effect) = self.effects.try_recv() {
            let running = self.running.map(|(key, _)| key);
            match effect {
                PhoneEffect::Start { key, .. } => {
                    if running.is_some() || !self.started.insert(key) {
                        return Err(format!("(h) media of {} were started again", key.id));
                    }
                    if state.calls.get(key).is_none() {
                        return Err(format!("(h) media of {}, which has ended", key.id));
                    }
                    self.start(key);
                }
                PhoneEffect::Stop(key) if running == Some(key) => self.stop(),
                PhoneEffect::Stop(key)
                | PhoneEffect::Signaling(key, _)
                | PhoneEffect::Mute(key, _)
                | PhoneEffect::Record { key, .. }
                | PhoneEffect::StopRecording(key) => {
                    if running != Some(key) {
                        return Err(format!("(h) the media of {} do not run", key.id));
                    }
                }
            }
        }
        match self.running {
            Some((key, _)) if state.calls.get(key).is_none() => {
                Err(format!("(h) the media of {} go on after its end", key.id))
            }
            Some((key, _)) if state.own_call(key).is_none() => {
                Err(format!("(h) the media of {} go on, which was left", key.id))
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, key: CallKey) {
        let script = &self.scripts[self.started.len() % self.scripts.len()];
        let mut at = Instant::now();
        for (wait, event) in &script.events {
            at += Duration::from_millis(*wait);
            self.coming.push((at, key, event.clone()));
        }
        self.running = Some((key, Duration::from_millis(script.late)));
        self.sort();
    }

    fn stop(&mut self) {
        let Some((key, late)) = self.running.take() else { return };
        let until = Instant::now() + late;
        self.coming.retain(|(at, of, _)| *of != key || *at <= until);
        self.coming.push((until, key, PhoneEvent::Ended(None)));
        self.sort();
    }

    fn sort(&mut self) {
        self.coming.sort_by_key(|(at, ..)| *at);
    }
}

/// The app of the other side: it sends some signaling, and sends back all that it gets.
pub fn other_side(call: MediaCall) {
    let MediaCall { mut signaling, replies, .. } = call;
    tokio::spawn(async move {
        for number in 1..=3 {
            replies.send_signaling(vec![number; 8]);
            sleep(Duration::from_millis(150)).await;
        }
        while let Some(data) = signaling.recv().await {
            replies.send_signaling(data);
        }
    });
}
