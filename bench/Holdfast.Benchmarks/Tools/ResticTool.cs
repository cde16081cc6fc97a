using Holdfast.Benchmarks.Measuring;
using static System.FormattableString;

namespace Holdfast.Benchmarks.Tools;

/// restic with its default settings: repository version 2, compression auto.
internal sealed class ResticTool : BackupTool
{
    public const string ToolName = "restic";

    public override string Name => ToolName;

    public override Command Version => new(["restic", "version"]);

    public override Command Init(string place) => Call(place, "init");

    public override Command Backup(string place, string source, string point) => Call(place, "backup", "--tag", point, source);

    public override Command Restore(string place, string point, string target) => Call(place, "restore", "latest", "--target", target);

    public override Command Check(string place) => Call(place, "check", "--read-data");

    public override Command CheckStructure(string place) => Call(place, "check");

    public override Command Forget(string place) => Call(place, "forget", "--group-by", "host", "--keep-last", "1");

    public override Command Prune(string place, Unused? maxUnused) =>
        maxUnused is { } most ? Call(place, "prune", "--max-unused", Invariant($"{most.Bytes}")) : Call(place, "prune");

    public override Command ForgetAndPrune(string place) => Call(place, "forget", "--group-by", "host", "--keep-last", "1", "--prune");

    private static Command Call(string place, params string[] words) => InPlace(
        place,
        new()
        {
            ["RESTIC_REPOSITORY"] = Repository(place),
            ["RESTIC_PASSWORD"] = Password,
            ["RESTIC_CACHE_DIR"] = Path.Combine(place, "cache"),
        },
        ["restic", .. words]);
}
