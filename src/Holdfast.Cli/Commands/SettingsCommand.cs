using System.CommandLine;
using System.Text.Json;
using Holdfast.Cli.Values;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>settings</c> is asked for.</summary>
/// <param name="UndeleteWindow">The window to set; null to leave it.</param>
internal sealed record SettingsOptions(TimeSpan? UndeleteWindow);

/// <summary><c>holdfast settings</c>: shows or changes what holds for all who use the vault.</summary>
internal static class SettingsCommand
{
    public static VerbCommand Create()
    {
        Option<string?> window = One("--undelete-window", "DURATION", "prune leaves a dropped point for so long, such as 7d; 0 to leave none");
        return new VerbCommand("settings", "show or change the settings of the vault")
        {
            Details = ["The settings are in the vault and hold for all who use it."],
            Examples = [new("holdfast settings", "show them"), new("holdfast settings --undelete-window 7d", "a dropped point can be brought back for a week at least")],
        }.With(window)
        .Does((parse, _) => new SettingsOptions(parse.GetValue(window) is { } text ? TimeText.ParseDuration(text, window.Name) : null), RunAsync);
    }

    private static async Task<int> RunAsync(SettingsOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(options.UndeleteWindow is null ? VaultUse.SeePoints : VaultUse.MarkPoints, cancellationToken).ConfigureAwait(false);
        VaultSettings settings = options.UndeleteWindow is { } window
            ? await VaultSettings.ChangeAsync(vault, known => known with { UndeleteWindow = window }, cancellationToken).ConfigureAwait(false)
            : await VaultSettings.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        context.Output.Line($"undelete window: {TimeText.ShowDuration(settings.UndeleteWindow)}");
        context.Output.Document(settings, WriteJson);
        return ExitCodes.Done;
    }

    private static void WriteJson(Utf8JsonWriter writer, VaultSettings settings)
    {
        writer.WriteStartObject();
        writer.WriteNumber("undeleteWindowSeconds", (long)settings.UndeleteWindow.TotalSeconds);
        writer.WriteEndObject();
    }
}
