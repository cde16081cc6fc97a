using Holdfast.Cli.Output;
using Holdfast.Databases;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Db;

/// <summary>Counts what is copied of a database as progress, until all is: then nothing of it is left for the work that follows.</summary>
/// <param name="work">What is shown.</param>
internal sealed class CopyProgress(WorkProgress work)
{
    private long counted;

    /// <summary>Options whose copy is shown, on a terminal: what programs read says nothing of it.</summary>
    public static CheckpointOptions In(CommandOutput output, WorkProgress work, CheckpointOptions options) =>
        options with { Capture = In(output, work, options.Capture) };

    /// <summary>The same.</summary>
    public static CaptureOptions In(CommandOutput output, WorkProgress work, CaptureOptions options) =>
        output.Json ? options : options with { OnCopied = new CopyProgress(work).Tell };

    /// <summary>The display while a copy is made that nothing else follows; null where programs read.</summary>
    public static ProgressDisplay? Show(CommandOutput output, WorkProgress work) => output.Json ? null : output.ShowProgress(work);

    /// <summary>So many bytes are copied now, of so many.</summary>
    public void Tell(long done, long total)
    {
        (long bytes, long expected) = done < total ? (done, total) : (0, 0);
        work.Expect(0, expected);
        work.AddDone(0, bytes - counted);
        counted = bytes;
    }
}
