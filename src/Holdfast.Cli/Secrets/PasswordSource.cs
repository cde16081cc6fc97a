using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Files;

namespace Holdfast.Cli.Secrets;

/// <summary>What the command line says about the password.</summary>
/// <param name="File">The value of <c>--password-file</c>.</param>
/// <param name="Command">The value of <c>--password-command</c>.</param>
internal sealed record PasswordChoice(string? File, string? Command);

/// <summary>Where passwords come from: a file, a command, the environment or a person, never an argument.</summary>
/// <remarks>
/// A flag goes before any variable; two flags, or two variables and no flag, are an error: which of them counts must
/// not be a guess. Of a file and of a command's output one line end at the end is left out; all else counts.
/// </remarks>
internal sealed class PasswordSource(Func<string, string?> environment, CommandOutput output, IPasswordPrompt prompt)
{
    public const string Variable = "HOLDFAST_PASSWORD";
    public const string FileVariable = "HOLDFAST_PASSWORD_FILE";
    public const string CommandVariable = "HOLDFAST_PASSWORD_COMMAND";
    private bool saidReadable;

    /// <summary>The password of a vault; the caller disposes it.</summary>
    /// <param name="choice">What the command line says.</param>
    /// <param name="question">What a person is asked, without colon.</param>
    /// <param name="confirm">Whether a person types it twice.</param>
    /// <param name="cancellationToken">Ends a prompt (the terminal echoes again) or the command.</param>
    public async Task<Password> GetAsync(
        PasswordChoice choice, string question, bool confirm, CancellationToken cancellationToken)
    {
        if (choice is { File: not null, Command: not null })
        {
            throw UsageError.Of("--password-file and --password-command: two sources of one password", "leave one out");
        }

        if (choice.File is not null) return await ReadFileAsync(choice.File, "--password-file", cancellationToken).ConfigureAwait(false);
        if (choice.Command is not null)
        {
            return await RunCommandAsync(choice.Command, "--password-command", cancellationToken).ConfigureAwait(false);
        }

        string[] set = [.. new[] { Variable, FileVariable, CommandVariable }.Where(name => !string.IsNullOrEmpty(environment(name)))];
        if (set.Length > 1)
        {
            throw UsageError.Of($"{string.Join(" and ", set)}: two sources of one password", "unset all but one of them");
        }

        if (set.Length == 0) return await AskAsync(question, confirm, cancellationToken).ConfigureAwait(false);
        string value = environment(set[0])!;
        return set[0] switch
        {
            FileVariable => await ReadFileAsync(value, FileVariable, cancellationToken).ConfigureAwait(false),
            CommandVariable => await RunCommandAsync(value, CommandVariable, cancellationToken).ConfigureAwait(false),
            _ => new Password(SurrogateEscape.Encode(value)),
        };
    }

    /// <summary>A new password for a key: from a file when one is named, else typed twice; the caller disposes it.</summary>
    public async Task<Password> GetNewAsync(string? file, CancellationToken cancellationToken) =>
        file is not null
            ? await ReadFileAsync(file, "--new-password-file", cancellationToken).ConfigureAwait(false)
            : await AskAsync("new password", confirm: true, cancellationToken).ConfigureAwait(false);

    private async Task<Password> AskAsync(string question, bool confirm, CancellationToken cancellationToken)
    {
        byte[] first = await prompt.AskAsync(question, cancellationToken).ConfigureAwait(false)
            ?? throw UsageError.Of(
                "no password is given, and there is no terminal to ask at",
                "use --password-file, --password-command, HOLDFAST_PASSWORD_FILE, HOLDFAST_PASSWORD_COMMAND or HOLDFAST_PASSWORD");
        if (!confirm) return Checked(first, question);

        byte[] second = await prompt.AskAsync("the same again", cancellationToken).ConfigureAwait(false) ?? [];
        bool same = first.AsSpan().SequenceEqual(second);
        CryptographicOperations.ZeroMemory(second);
        if (same) return Checked(first, question);
        CryptographicOperations.ZeroMemory(first);
        throw UsageError.Of("the two passwords differ", "run it again");
    }

    private async Task<Password> ReadFileAsync(string path, string source, CancellationToken cancellationToken)
    {
        try
        {
            var stream = new FileStream(SystemPath(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            await using (stream.ConfigureAwait(false))
            {
                WarnIfReadable(stream, path);
                return Checked(await ReadAllAsync(stream, source, cancellationToken).ConfigureAwait(false), source);
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw UsageError.Of($"{source}: {path}: no such file", "make the file with the password in it, or check its name", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw UsageError.Of($"{source}: {path}: {e.Message}", "name a file that this user may read", e);
        }
    }

    private void WarnIfReadable(FileStream stream, string path)
    {
        const UnixFileMode others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if (saidReadable || !stream.CanSeek || (File.GetUnixFileMode(stream.SafeFileHandle) & others) == 0) return;
        saidReadable = true;
        output.Notice($"{path}: every user of this machine can read or change the password; run \"chmod 600\" on it");
    }

    private static async Task<Password> RunCommandAsync(string command, string source, CancellationToken cancellationToken)
    {
        // Standard input and standard error stay ours, so that the command can ask a person or say what is wrong.
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(command);
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("no process was started");
        byte[] printed;
        try
        {
            printed = await ReadAllAsync(process.StandardOutput.BaseStream, source, cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // Whatever ends the reading (cancelled, too long): the command must not outlive it.
            process.Kill(entireProcessTree: true);
            throw;
        }

        if (process.ExitCode == 0) return Checked(printed, source);
        CryptographicOperations.ZeroMemory(printed);
        throw UsageError.Of($"{source}: the command ended with exit code {process.ExitCode}", "run it in a shell to see why");
    }

    private static async Task<byte[]> ReadAllAsync(Stream stream, string source, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Password.MaxBytes + 1);
        try
        {
            int length = await stream.ReadAtLeastAsync(
                buffer.AsMemory(0, Password.MaxBytes + 1), Password.MaxBytes + 1, throwOnEndOfStream: false, cancellationToken)
                .ConfigureAwait(false);
            if (length > Password.MaxBytes)
            {
                throw UsageError.Of($"{source}: longer than {SizeText.Show(Password.MaxBytes)}: that is not a password");
            }

            return buffer.AsSpan(0, WithoutLineEnd(buffer.AsSpan(0, length))).ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private static int WithoutLineEnd(ReadOnlySpan<byte> bytes) =>
        bytes.EndsWith("\r\n"u8) ? bytes.Length - 2 : bytes.EndsWith("\n"u8) ? bytes.Length - 1 : bytes.Length;

    private static Password Checked(byte[] bytes, string source) =>
        bytes.Length > 0
            ? new Password(bytes)
            : throw UsageError.Of($"{source}: the password is empty", "an empty password protects nothing: choose another");

    // .NET takes paths as UTF-16 and makes U+FFFD of what is not UTF-8; through /proc such a file could not be named either.
    private static string SystemPath(string path) =>
        SurrogateEscape.HasEscape(path)
            ? throw UsageError.Of($"{SurrogateEscape.Readable(path)}: the name of a password file must be UTF-8", "rename it")
            : path;
}
