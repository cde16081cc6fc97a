using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.Corpora;

/// A copy of the beginning of /usr, in the order of names.
internal sealed class UsrCorpus(string directory, long bytes) : TreeCorpus($"{directory}-{bytes}")
{
    public override string Name => "usr";

    public override string Description => $"the first {bytes / 1048576.0:F0} MiB of a tar of /usr in the order of names, unpacked";

    public override string Source => Path.Combine(Folder, "usr");

    // The archive ends where it was cut: the last file is short, and tar says so.
    protected override void Create(ChildProcess processes) => UsrTar.Feed(processes, bytes, "tar -xpf - || true", Folder);
}
