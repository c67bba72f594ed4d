//! The result of `help.getConfig`.

use grammers_tl_types::{enums, types};

use crate::DCS;
use crate::call::{SessionIx, seconds};
use crate::world::{RECEIVE_TIMEOUT, World};

/// A data centre whose address is no IP address.
pub(crate) fn invalid_address() -> enums::DcOption {
    types::DcOption {
        ipv6: false,
        media_only: false,
        tcpo_only: false,
        cdn: false,
        r#static: true,
        this_port_only: false,
        id: DCS[1],
        ip_address: "nowhere".to_owned(),
        port: 443,
        secret: None,
    }
    .into()
}

/// The result of `help.getConfig`.
pub(crate) fn config(world: &World, session: SessionIx, now: i64) -> types::Config {
    types::Config {
        default_p2p_contacts: false,
        preload_featured_stickers: false,
        revoke_pm_inbox: false,
        blocked_mode: false,
        force_try_ipv6: false,
        date: seconds(now),
        expires: seconds(now) + 3600,
        test_mode: false,
        this_dc: world.sessions()[session].dc,
        dc_options: world.dc_options(),
        dc_txt_domain_name: String::new(),
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: 100,
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: 172_800,
        revoke_time_limit: 172_800,
        revoke_pm_time_limit: 172_800,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: RECEIVE_TIMEOUT as i32,
        call_ring_timeout_ms: world.ring_timeout_ms(),
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: "https://t.me/".to_owned(),
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: 1024,
        message_length_max: 4096,
        webfile_dc_id: 4,
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    }
}
