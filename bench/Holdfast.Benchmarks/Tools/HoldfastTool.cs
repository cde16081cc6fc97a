using Holdfast.Benchmarks.Measuring;
using static System.FormattableString;

namespace Holdfast.Benchmarks.Tools;

/// Holdfast with its default settings; the password is derived anew by each command.
internal sealed class HoldfastTool(params string[] program) : BackupTool
{
    public const string ToolName = "holdfast";

    /// The same code not trimmed: what is shipped loads no hooks.
    public static HoldfastTool Watchable() => new("dotnet", Path.Combine(AppContext.BaseDirectory, "holdfast.dll"));

    public static ReadOnlySpan<byte> PasswordBytes => "correct horse battery staple"u8;

    public override string Name => ToolName;

    public override Command Version => new([.. program, "--version"]);

    public override Command Init(string place) => Call(place, "init");

    public override Command Backup(string place, string source, string point) => Call(place, "backup", source);

    public override Command Restore(string place, string point, string target) => Call(place, "restore", "latest", "--to", target);

    public override Command Check(string place) => Call(place, "check", "--read-data");

    public override Command CheckStructure(string place) => Call(place, "check");

    public override Command Forget(string place) => Call(place, "forget", "--keep-last", "1");

    // As JSON: it says what is left unused.
    public override Command Prune(string place, Unused? maxUnused) =>
        maxUnused is { } most ? Call(place, "prune", "--json", "--max-unused", Invariant($"{most.Bytes}")) : Call(place, "prune", "--json");

    public override Command ForgetAndPrune(string place) => Call(place, "forget", "--keep-last", "1", "--prune");

    /// Any other command, in a vault that need not lie in a place of its own.
    public Command Run(string place, params string[] words) => Call(place, words);

    public override string RestoredRoot(string target, string source) => target;

    private Command Call(string place, params string[] words) => InPlace(
        place,
        new() { ["HOLDFAST_VAULT"] = Repository(place), ["HOLDFAST_PASSWORD"] = Password },
        [.. program, .. words]);
}
