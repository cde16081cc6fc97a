using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.Corpora;

/// Debian's package linux-source-6.1, unpacked.
internal sealed class LinuxCorpus(string directory) : TreeCorpus(directory)
{
    public const string CorpusName = "linux";
    public const string Archive = "/usr/src/linux-source-6.1.tar.xz";

    public override string Name => CorpusName;

    public override string Description => $"{Archive}, unpacked";

    public override string Source => Path.Combine(Folder, "linux-source-6.1");

    protected override void Create(ChildProcess processes) => processes.Run(new Command(["tar", "-C", Folder, "-xJf", Archive]));
}
