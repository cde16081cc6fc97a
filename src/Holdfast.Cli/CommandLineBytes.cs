using Holdfast.Files;

namespace Holdfast.Cli;

/// <summary>The command line as the kernel holds it: a path that is not UTF-8 reaches us whole.</summary>
/// <remarks>.NET decodes arguments with U+FFFD in place of what is not UTF-8, which names another file or none.</remarks>
internal static class CommandLineBytes
{
    /// <summary>The arguments, decoded by <see cref="SurrogateEscape"/>.</summary>
    /// <param name="decoded">What .NET made of them: its count says how many of the kernel's belong to the program.</param>
    public static string[] Read(string[] decoded)
    {
        if (!Array.Exists(decoded, static argument => argument.Contains('\uFFFD', StringComparison.Ordinal))) return decoded;
        try
        {
            return LastOf(File.ReadAllBytes("/proc/self/cmdline"), decoded);
        }
        catch (IOException)
        {
            return decoded;
        }
        catch (UnauthorizedAccessException)
        {
            return decoded;
        }
    }

    /// <summary>
    /// The last arguments of a NUL-terminated list, as many as <paramref name="decoded"/> has: before them stand the
    /// program and, when it runs under <c>dotnet</c>, the assembly.
    /// </summary>
    internal static string[] LastOf(ReadOnlySpan<byte> commandLine, string[] decoded)
    {
        var all = new List<string>();
        while (!commandLine.IsEmpty)
        {
            int end = commandLine.IndexOf((byte)0);
            ReadOnlySpan<byte> argument = end < 0 ? commandLine : commandLine[..end];
            all.Add(SurrogateEscape.Decode(argument));
            commandLine = end < 0 ? [] : commandLine[(end + 1)..];
        }

        // A kernel that shows less than it was given (or a process that renamed itself) leaves us what .NET has.
        return all.Count <= decoded.Length ? decoded : [.. all.Skip(all.Count - decoded.Length)];
    }
}
