//! Streams of `cpal`, and what they do in its callbacks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, FromSample, Host, SampleFormat, SizedSample, StreamConfig,
    SupportedStreamConfigRange,
};

use crate::device::PortDirection::{Loudspeaker, Microphone};
use crate::device::{BLOCK_SAMPLES, PortDirection, SAMPLE_RATE, SampleRings};

/// What a stream reports.
pub(super) struct StreamFault {
    pub direction: PortDirection,
    /// Of the stream.
    pub number: u64,
    pub error: cpal::Error,
}

/// A stream runs until it is dropped.
pub(super) struct SystemStream {
    _stream: cpal::Stream,
    pub name: String,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("it is not there")]
    NotFound,
    #[error("it does not run at 48 kHz with 16 bits or floats")]
    Unsuitable,
    #[error("{0}")]
    System(#[from] cpal::Error),
}

/// The device's ends of the rings, for one stream of each direction after another.
///
/// The callbacks take the locks only by trying, so they never wait. Nobody else holds a lock while
/// a stream of its direction runs.
pub(super) struct StreamEnds {
    microphone: Arc<Mutex<rtrb::Producer<i16>>>,
    loudspeaker: Arc<Mutex<rtrb::Consumer<i16>>>,
    /// Samples of silence in place of samples that were not there.
    missing: Arc<AtomicU64>,
    /// Samples of the microphone that did not fit.
    dropped: Arc<AtomicU64>,
}

impl StreamEnds {
    pub(super) fn new(rings: SampleRings) -> Self {
        Self {
            microphone: Arc::new(Mutex::new(rings.microphone)),
            loudspeaker: Arc::new(Mutex::new(rings.loudspeaker)),
            missing: Arc::default(),
            dropped: Arc::default(),
        }
    }

    pub(super) fn send_silence(&self) {
        let mut microphone = self.microphone.lock().unwrap_or_else(PoisonError::into_inner);
        // The engine that does not read loses silence only.
        let _ = microphone.push_partial_slice(&[0; BLOCK_SAMPLES]);
    }

    pub(super) fn discard(&self) {
        let mut loudspeaker = self.loudspeaker.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = loudspeaker.pop_partial_slice(&mut [0; BLOCK_SAMPLES]);
    }

    /// Samples that were missing and that were dropped since this was last called.
    pub(super) fn take_gaps(&self) -> (u64, u64) {
        (self.missing.swap(0, Ordering::Relaxed), self.dropped.swap(0, Ordering::Relaxed))
    }
}

/// Opens a port by its id, or the default, and starts it.
pub(super) fn open(
    host: &Host,
    direction: PortDirection,
    name: Option<&str>,
    ends: &StreamEnds,
    number: u64,
    faults: &Sender<StreamFault>,
) -> Result<SystemStream, OpenError> {
    let device = find(host, direction, name)?.ok_or(OpenError::NotFound)?;
    let name = device.id()?.to_string();
    let configuration = match direction {
        Microphone => pick(device.supported_input_configs()?, 1),
        Loudspeaker => pick(device.supported_output_configs()?, 2),
    };
    let (config, format) = configuration.ok_or(OpenError::Unsuitable)?;
    let faults = faults.clone();
    let report = move |error| {
        // After the end of the device nobody is interested.
        let _ = faults.send(StreamFault { direction, number, error });
    };
    let stream = match (direction, format) {
        (Microphone, SampleFormat::F32) => record::<f32>(&device, config, ends, report)?,
        (Microphone, _) => record::<i16>(&device, config, ends, report)?,
        (Loudspeaker, SampleFormat::F32) => play::<f32>(&device, config, ends, report)?,
        (Loudspeaker, _) => play::<i16>(&device, config, ends, report)?,
    };
    stream.play()?;
    Ok(SystemStream { _stream: stream, name })
}

fn find(
    host: &Host,
    direction: PortDirection,
    name: Option<&str>,
) -> Result<Option<cpal::Device>, OpenError> {
    let Some(name) = name else {
        return Ok(match direction {
            Microphone => host.default_input_device(),
            Loudspeaker => host.default_output_device(),
        });
    };
    let is_named = |device: &cpal::Device| device.id().is_ok_and(|id| id.to_string() == name);
    Ok(match direction {
        Microphone => host.input_devices()?.find(is_named),
        Loudspeaker => host.output_devices()?.find(is_named),
    })
}

/// A configuration at 48 kHz: floats rather than 16 bits, which systems mix in anyway, and as near
/// to a number of channels as possible.
fn pick(
    configurations: impl Iterator<Item = SupportedStreamConfigRange>,
    channels: u16,
) -> Option<(StreamConfig, SampleFormat)> {
    let formats = [SampleFormat::F32, SampleFormat::I16];
    let suitable = configurations.filter_map(|it| {
        let format = formats.iter().position(|format| *format == it.sample_format())?;
        (it.channels() > 0 && it.contains_rate(SAMPLE_RATE)).then_some((format, it.channels()))
    });
    let best = suitable.min_by_key(|(format, has)| (has.abs_diff(channels), *format));
    best.map(|(format, channels)| {
        let config =
            StreamConfig { channels, sample_rate: SAMPLE_RATE, buffer_size: BufferSize::Default };
        (config, formats[format])
    })
}

fn record<T>(
    device: &cpal::Device,
    config: StreamConfig,
    ends: &StreamEnds,
    report: impl FnMut(cpal::Error) + Send + 'static,
) -> Result<cpal::Stream, cpal::Error>
where
    T: SizedSample,
    i16: FromSample<T>,
{
    let channels = usize::from(config.channels);
    let (microphone, dropped) = (Arc::clone(&ends.microphone), Arc::clone(&ends.dropped));
    device.build_input_stream(
        config,
        move |samples: &[T], _| {
            let frames = samples.chunks_exact(channels);
            let Ok(mut microphone) = microphone.try_lock() else {
                dropped.fetch_add(frames.len() as u64, Ordering::Relaxed);
                return;
            };
            let mut lost = 0;
            for frame in frames {
                let sum: i32 = frame.iter().map(|it| i32::from(i16::from_sample_(*it))).sum();
                let middle = (sum / channels as i32) as i16;
                lost += u64::from(microphone.push(middle).is_err());
            }
            dropped.fetch_add(lost, Ordering::Relaxed);
        },
        report,
        None,
    )
}

fn play<T>(
    device: &cpal::Device,
    config: StreamConfig,
    ends: &StreamEnds,
    report: impl FnMut(cpal::Error) + Send + 'static,
) -> Result<cpal::Stream, cpal::Error>
where
    T: SizedSample + FromSample<i16>,
{
    let channels = usize::from(config.channels);
    let (loudspeaker, missing) = (Arc::clone(&ends.loudspeaker), Arc::clone(&ends.missing));
    device.build_output_stream(
        config,
        move |samples: &mut [T], _| {
            let mut loudspeaker = loudspeaker.try_lock().ok();
            let mut silent = 0;
            for frame in samples.chunks_exact_mut(channels) {
                let sample = loudspeaker.as_mut().and_then(|it| it.pop().ok());
                silent += u64::from(sample.is_none());
                frame.fill(T::from_sample_(sample.unwrap_or_default()));
            }
            missing.fetch_add(silent, Ordering::Relaxed);
        },
        report,
        None,
    )
}
