using System.Globalization;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.Corpora;

/// A large file that stands for a disk image: the first GiB of a tar of /usr, and the same with small edits.
internal sealed class ImageCorpus(string directory, int seed) : Corpus($"{directory}-{seed.ToString(CultureInfo.InvariantCulture)}")
{
    private const long ImageBytes = 1 << 30;
    private const int Edits = 1000;

    public override string Name => "image";

    public override string Description =>
        $"one file: the first GiB of a tar of /usr in the order of names; edited: {Edits} inserts, deletes and overwrites of 1 to 199 bytes, seed {seed}";

    public override string Source => Path.Combine(Folder, "source");

    public override IReadOnlyList<Step> Steps =>
        [Step.Init, Step.First, Step.Touched, Step.Edited, Step.Restore, Step.Check];

    private string Image => Path.Combine(Source, "disk.img");

    private string Original => Path.Combine(Folder, "original.img");

    private string Edited => Path.Combine(Folder, "edited.img");

    public override void Change(Step step, int seed)
    {
        if (step == Step.Touched) File.SetLastWriteTimeUtc(Image, DateTime.UtcNow);
        else if (step == Step.Edited) Overwrite(Edited);
    }

    public override void Reset() => Overwrite(Original);

    protected override void Create(ChildProcess processes)
    {
        Directory.CreateDirectory(Source);
        UsrTar.Feed(processes, ImageBytes, "cat > original.img", Folder);
        ImageEdits.Apply(Original, Edited, Edits, seed);
        File.Copy(Original, Image);
    }

    // In place, as what runs in an image writes it.
    private void Overwrite(string content)
    {
        using var from = new FileStream(content, FileMode.Open);
        using var to = new FileStream(Image, FileMode.Open, FileAccess.Write);
        from.CopyTo(to, 1 << 20);
        to.SetLength(from.Length);
    }
}
