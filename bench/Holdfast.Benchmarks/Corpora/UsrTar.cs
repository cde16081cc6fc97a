using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.Corpora;

/// The beginning of a tar of /usr, which is the same as long as /usr is.
internal static class UsrTar
{
    /// Runs what reads it from standard input, in a directory.
    public static void Feed(ChildProcess processes, long bytes, string reader, string directory) => processes.Run(
        Command.Shell(
            "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu -C / -cf - usr 2>/dev/null"
                + $" | head -c {bytes} | {reader}") with
        { Directory = directory });
}
