using System.Runtime.InteropServices;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>version</c> is asked for.</summary>
internal sealed record VersionOptions;

/// <summary><c>holdfast version</c>: says which version this is and what it runs on.</summary>
internal static class VersionCommand
{
    public static VerbCommand Create() => new VerbCommand("version", "say which version this is and what it runs on")
    {
        Needs = Needs.None,
        Details = ["\"holdfast --version\" says the version alone."],
        Examples = [new("holdfast version", "what to put into a report of an error")],
    }.Does((_, _) => new VersionOptions(), RunAsync);

    private static Task<int> RunAsync(VersionOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        string architecture = RuntimeInformation.ProcessArchitecture.ToString();
        context.Output.Line($"holdfast {HoldfastVersion.Text} (.NET {Environment.Version}, Linux {architecture})");
        context.Output.Document(architecture, static (writer, machine) =>
        {
            writer.WriteStartObject();
            writer.WriteString("version", HoldfastVersion.Text);
            writer.WriteString("runtime", Environment.Version.ToString());
            writer.WriteString("architecture", machine);
            writer.WriteEndObject();
        });
        return Task.FromResult(ExitCodes.Done);
    }
}
