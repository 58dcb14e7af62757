use crate::stage::{Call, Stage, has_rsync};

const F: [&str; 2] = ["-x", "-F {F}"];

#[test]
fn pscp_copies_as_scp_does() {
    let Some(stage) = Stage::set() else { return };
    let calls: [(&[&str], i32); 14] = [
        (&["-H", "one", "file", "{here}/new"], 0),
        (&["-H", "one", "file", "{here}/there"], 0),
        (&["-H", "one", "file", "{here}/there/file"], 0),
        (&["-H", "one", "file", "kube", "{here}/there"], 0),
        (&["-H", "one", "tree", "{here}/there"], 4),
        (&["-r", "-H", "one", "tree", "{here}/there"], 0),
        (&["-r", "-H", "one", "tree", "{here}/new"], 0),
        (&["-r", "-H", "one", "tree/", "file", "{here}/there/"], 0),
        (&["-H", "one", "nowhere", "{here}/new"], 4),
        (&["-H", "one", "nowhere", "file", "{here}/there"], 4),
        (&["-H", "one", "file", "/proc/none/of/these"], 4),
        (&["-H", "one", "-O", "Port=1", "-x", "-T -r", "file", "{here}/new"], 4),
        (&["-h", "kube", "-o", "out", "-e", "err", "file", "{here}/new"], 0),
        (&["-H", "one", "tree/a file", "tree/inner/$x'\\y", "{here}/there"], 0),
    ];
    for (arguments, status) in calls {
        let arguments = [&F, arguments].concat();
        assert_eq!(stage.same(Call::new("pscp", &arguments)).status, Some(status), "{arguments:?}");
    }
}

#[test]
fn pslurp_copies_as_scp_does() {
    let Some(stage) = Stage::set() else { return };
    let calls: [(&[&str], i32); 10] = [
        (&["-L", "./", "{here}/file", "name"], 0),
        (&["-L", "deep/er", "{here}/file", "name"], 0),
        (&["{here}/tree", "name"], 5),
        (&["-r", "{here}/tree", "name"], 0),
        (&["{here}/nowhere", "name"], 5),
        (&["{here}/there/*", "name"], 0),
        (&["{here}/tree/a*", "."], 0),
        (&["{here}/*e", "name"], 5),
        (&["{here}/tree/inner/$x'\\\\y", "name"], 0),
        (&["-r", "{here}/tre[e]", "."], 0),
    ];
    for (arguments, status) in calls {
        // With a port, since without one pssh's directory is called `HOST:None`; and with -L, since without it scp takes
        // pssh's `HOST:PORT/name` for a host.
        let arguments = [&F[..], &["-L", "local", "-H", "one:{port} two:{port}"], arguments].concat();
        assert_eq!(stage.same(Call::new("pslurp", &arguments)).status, Some(status), "{arguments:?}");
    }
    let variables = [("PSSH_RECURSIVE", "1"), ("PSSH_LOCALDIR", "local")];
    let arguments = [&F[..], &["-H", "one:{port}", "{here}/tree", "name"]].concat();
    let call = Call { environment: &variables, ..Call::new("pslurp", &arguments) };
    assert_eq!(stage.same(call).status, Some(0));
}

#[test]
fn prsync_runs_rsync() {
    let Some(stage) = Stage::set() else { return };
    if !has_rsync() {
        return;
    }
    let calls: [(&[&str], i32); 7] = [
        (&["file", "{here}/new"], 0),
        (&["tree", "{here}/new"], 0),
        (&["-r", "tree", "kube", "{here}/new"], 0),
        (&["-a", "-z", "tree/", "{here}/new"], 0),
        (&["-r", "-x", "--exclude=inner", "tree", "{here}/new"], 0),
        (&["-o", "out", "-v", "file", "{here}/new"], 0),
        (&["nowhere", "{here}/new"], 4),
    ];
    for (arguments, status) in calls {
        let arguments = [&["-S", "-F {F}", "-H", "one"], arguments].concat();
        let ran = stage.kfleet(Call::new("prsync", &arguments));
        assert_eq!(ran.status, Some(status), "{arguments:?}: {ran:?}");
        // How much rsync says that it sent and how fast differs from run to run.
        if !arguments.contains(&"-v") {
            stage.same(Call::new("prsync", &arguments));
        }
    }
}
